//! Channels that take nothing: the others tell it. And what no channel takes.

use pulse_echo_core::clock::Time;
use pulse_echo_core::status::{BackOff, Fact, Message, State, Status};

use super::Teller;
use super::many::{first_ten, hosts};
use super::owed::{TROUBLE_S, oldest_due_of};

impl Teller<'_> {
    /// Tells over the other channels which channel has taken nothing of what was due to it for a quarter of an hour,
    /// and which takes messages again. Whether anything has changed by that.
    pub fn tell_trouble(&mut self, status: &mut Status) -> bool {
        let before = status.channels.clone();
        for (channel, back_off) in &before {
            let BackOff { since, told, worked, why, .. } = back_off;
            let since = since.unwrap_or(self.now);
            if let (Some(_), Some(until)) = (told, worked) {
                self.tell_others(channel, Fact::ChannelWorks { channel: channel.clone(), since, until: *until });
                forget(status, channel);
            } else if told.is_none()
                && is_in_trouble(status, channel, since, self.now)
                && self.channels.names().count() > 1
            {
                let why = why.clone();
                self.tell_others(channel, Fact::ChannelFails { channel: channel.clone(), since, why });
                if let Some(back_off) = status.channels.get_mut(channel) {
                    back_off.told = Some(self.now);
                }
            }
        }
        status.channels != before
    }

    /// Tells what no channel takes, if anything.
    pub fn tell_untaken(&mut self, status: &Status) {
        let kinds: Vec<_> = self.channels.untaken().kinds.into_iter().map(String::from).collect();
        let live = status.checks.iter().filter(|(_, record)| record.state != State::Gone).map(|(id, _)| id);
        let checks: Vec<_> = live.filter(|id| self.channels.lacks(id)).collect();
        if !kinds.is_empty() || !checks.is_empty() {
            let (hosts, some) = (hosts(checks.iter().copied()), first_ten(checks.iter().copied()));
            self.tell(Fact::Untaken { kinds, checks: checks.len(), hosts, some });
        }
    }

    fn tell_others(&mut self, channel: &str, fact: Fact) {
        let others = self.channels.names().filter(|other| *other != channel).cloned();
        self.messages.push(Message::new((self.new_id)(), self.now, others.collect(), fact));
    }
}

fn is_in_trouble(status: &Status, channel: &str, since: Time, now: Time) -> bool {
    let owes_for_long = oldest_due_of(status, channel, now).is_some_and(|waited_s| waited_s >= TROUBLE_S);
    since.age(now).as_secs() >= TROUBLE_S && owes_for_long
}

/// Notes that the end was told. A failure since then begins anew.
fn forget(status: &mut Status, channel: &str) {
    if let Some(back_off) = status.channels.remove(channel).filter(|back_off| back_off.failures > 0) {
        let since = back_off.worked;
        status.channels.insert(channel.into(), BackOff { told: None, worked: None, since, ..back_off });
    }
}
