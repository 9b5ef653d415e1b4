//! Which records are written when space is short, and which whatever time it is.

use crate::proposal::Mode;
use crate::records::Record;

impl Record {
    /// Whether it is written even when space is short: it ends something, stops something, or says
    /// what became of what was sent.
    #[must_use]
    pub fn ends_something(&self) -> bool {
        match self {
            Self::Mode { mode, .. } => *mode == Mode::Observe,
            Self::Checkpoint { .. }
            | Self::Proposed { .. }
            | Self::Approved { .. }
            | Self::Intent { .. }
            | Self::Reset { .. }
            | Self::ClockConfirmed { .. }
            | Self::TokenMade { .. }
            | Self::SessionOpened { .. }
            | Self::LinkMade { .. }
            | Self::AgentResumed { .. }
            | Self::GateOpened { .. }
            | Self::FlowStarted { .. }
            | Self::FlowStep { .. }
            | Self::FlowResumed { .. } => false,
            _ => true,
        }
    }

    /// Whether it is right whatever time it is: it stops something, or says what became of what was
    /// sent.
    #[must_use]
    pub fn needs_no_clock(&self) -> bool {
        match self {
            Self::Mode { mode, .. } => *mode == Mode::Observe,
            Self::Checkpoint { .. }
            | Self::Rejected { .. }
            | Self::Cancelled { .. }
            | Self::Answer { .. }
            | Self::Outcome { .. }
            | Self::Adopted { .. }
            | Self::BreakGlass { .. }
            | Self::Killed { .. }
            | Self::TokenRevoked { .. }
            | Self::SessionEnded { .. }
            | Self::AgentPaused { .. }
            | Self::GateOpened { .. }
            | Self::GateClosed { .. }
            | Self::FlowCancelled { .. } => true,
            _ => false,
        }
    }
}
