//! The store's clock is set in the storm, back and forward, and is right when the storm is over. What was said last
//! before is nobody's to tell; what an operator says after that holds.

use crate::history::{Event, History};
use crate::operator::Act;
use crate::world::Ms;

/// How far the clock is off, in seconds: within what is no step at all, by minutes, hours and a year.
const OFF: [i64; 10] = [-40, 50, 100, -100, 600, 7_200, -7_200, 31_536_000, -31_536_000, 0];

impl History {
    /// Plans when the clock is set.
    pub(crate) fn plan_clock(&mut self) {
        self.promises.has_steps = true;
        for _ in 0..self.chance.between(1, 4) {
            let (at, ahead_s) = (self.chance.between(0, self.storm_until), self.chance.one_of(&OFF));
            self.plan(at, Event::SetClock(ahead_s));
        }
        self.plan(self.storm_until, Event::SetClock(0));
        // By then whoever looks has looked, and the mark knows all that is there.
        let looked = self.storm_until + 135_000 + 2_000 * Ms::from(self.pace.tick_s);
        let act = self.chance.one_of(&[Act::Start, Act::Stop]);
        self.plan(looked, Event::LastWord(act));
    }

    pub(crate) fn set_clock(&mut self, ahead_s: i64) {
        let step = ahead_s - self.store.ahead_s;
        if step == 0 {
            return;
        }
        self.tell(|| format!("the store's clock is set by {step} s"));
        self.sums.count(if step < 0 { "clock set back" } else { "clock set forward" });
        self.store.ahead_s = ahead_s;
        self.promises.clock_set(self.invocations.len(), self.now);
        // A tick that waits for the end of a purge by the clock may come too early for it.
        self.promises.fault(self.queue.purges_until());
        for invocation in &mut self.invocations {
            invocation.is_unsure = true;
        }
    }

    pub(crate) fn say_last(&mut self, act: Act) {
        self.sums.count(if act == Act::Stop { "last word a stop" } else { "last word a start" });
        self.store.last_word = Some((act == Act::Stop, self.store.time(self.now)));
        self.operate(act);
    }
}
