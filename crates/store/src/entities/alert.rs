//! How alerts, and who is on call, are stored.

use domain::alert::Alert;
use domain::rota::OnCallRota;
use domain::vocabulary::Vocabulary;

use super::instant;
use crate::item::{Entity, StaffIndex};
use crate::key::{Key, StaffPartition};

impl Entity for Alert {
    fn key(&self) -> Key {
        Key::alert(self.id)
    }

    fn staff_index(&self) -> Option<StaffIndex> {
        Some(StaffIndex {
            partition: StaffPartition::Alerts(self.state.code()),
            order: instant(self.raised_at),
        })
    }
}

impl Entity for OnCallRota {
    fn key(&self) -> Key {
        Key::on_call_rota()
    }
}
