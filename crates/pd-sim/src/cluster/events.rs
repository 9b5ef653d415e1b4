//! What happens by itself when time passes.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::clock::Time;
use crate::cluster::Cluster;
use crate::cluster::region::Epoch;
use crate::cluster::tikv::Command;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// All stores report.
    Heartbeats,
    /// The checkers patrol.
    Check,
    /// The schedulers have their turn.
    Schedule,
    /// Running operators are looked at: time-outs, commands sent again.
    Notify,
    /// A store has executed a command.
    Executed {
        region_id: u64,
        /// The region's, when the command was given.
        epoch: Epoch,
        command: Command,
    },
    /// A new learner has caught up.
    CaughtUp { region_id: u64, store_id: u64 },
    /// Members of higher priority than the leader take over.
    Priorities,
    /// The members have a leader again.
    Elected,
}

const NOTIFY_INTERVAL: Duration = Duration::from_millis(500);

/// PD's default of `leader-priority-check-interval`.
const PRIORITY_INTERVAL: Duration = Duration::from_secs(60);

/// Events in the order they are due; those due at once in the order they were scheduled.
#[derive(Debug, Default)]
pub(crate) struct Events {
    queue: BTreeMap<(Time, u64), Event>,
    scheduled: u64,
}

impl Cluster {
    pub(crate) fn schedule(&mut self, delay: Duration, event: Event) {
        let sequence = self.events.scheduled;
        self.events.scheduled += 1;
        self.events
            .queue
            .insert((self.now + delay, sequence), event);
    }

    /// Lets time pass until `end`, with everything that happens on the way.
    pub(crate) fn advance_to(&mut self, end: Time) {
        while let Some(next) = self.events.queue.first_entry() {
            let (due, _) = *next.key();
            if due > end {
                break;
            }
            let event = next.remove();
            self.now = self.now.max(due);
            self.happen(event);
        }
        self.now = self.now.max(end);
    }

    pub(crate) fn interval_of(&self, event: &Event) -> Duration {
        let interval = match event {
            Event::Heartbeats => self.settings.heartbeat_interval,
            // PD takes a new interval when the one before is over.
            Event::Check => {
                let configured = self.config.duration("patrol-region-interval");
                self.settings.checker_interval.max(configured)
            }
            Event::Schedule => self.settings.evict_interval,
            Event::Priorities => PRIORITY_INTERVAL,
            _ => NOTIFY_INTERVAL,
        };
        interval.max(Duration::from_millis(1))
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Heartbeats => self.heartbeats(),
            Event::Check => self.patrol(),
            Event::Schedule => self.run_schedulers(),
            Event::Notify => self.push_operators(),
            Event::Priorities => self.take_over_by_priority(),
            Event::Executed {
                region_id,
                epoch,
                command,
            } => return self.executed(region_id, epoch, command),
            Event::CaughtUp {
                region_id,
                store_id,
            } => return self.caught_up(region_id, store_id),
            Event::Elected => return self.elected(),
        }
        let again = self.interval_of(&event);
        self.schedule(again, event);
    }

    fn heartbeats(&mut self) {
        self.hear_of_stores();
        self.hear_of_regions();
        self.report_sizes();
        self.notice_silence();
        self.heartbeat_busy_regions();
        self.look_after_emptying_stores();
    }
}
