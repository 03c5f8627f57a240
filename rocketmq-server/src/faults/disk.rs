//! A disk that is full when a test wants it to be.

use std::fs::File;
use std::io;

use super::Faults;
use crate::store::disk::{Disk, RealDisk};

/// The machine's disk, with faults.
#[derive(Debug)]
pub(super) struct FaultyDisk(Faults);

impl FaultyDisk {
    pub(super) fn new(faults: Faults) -> Self {
        Self(faults)
    }
}

impl Disk for FaultyDisk {
    fn write_at(&self, file: &File, bytes: &[u8], position: u64) -> io::Result<usize> {
        if self.0.fills_disk() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        RealDisk.write_at(file, bytes, position)
    }
}
