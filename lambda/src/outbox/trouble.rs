//! Channels that take nothing: the others tell it.

use pulse_echo_core::clock::Time;
use pulse_echo_core::status::{BackOff, Fact, Message, Status};

use super::Teller;
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
            } else if told.is_none() && is_in_trouble(status, channel, since, self.now) && self.channels.len() > 1 {
                let why = why.clone();
                self.tell_others(channel, Fact::ChannelFails { channel: channel.clone(), since, why });
                if let Some(back_off) = status.channels.get_mut(channel) {
                    back_off.told = Some(self.now);
                }
            }
        }
        status.channels != before
    }

    fn tell_others(&mut self, channel: &str, fact: Fact) {
        let others = self.channels.iter().filter(|other| *other != channel).cloned();
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
