//! What working on tickets needs: their history, what was merged into them, those that can be closed.

use crate::step::Step;

pub(crate) const STEP: Step = Step {
    name: "m20261122_000042_extend_tickets",
    ddl: "
CREATE INDEX events_ticket ON events (subject_id, occurred_at, id) WHERE subject_kind = 'ticket';

CREATE INDEX tickets_merged ON tickets (merged_into_id, created_at, id) WHERE merged_into_id IS NOT NULL;

CREATE INDEX tickets_solved ON tickets (solved_at) WHERE status = 'SOLVED';
",
};
