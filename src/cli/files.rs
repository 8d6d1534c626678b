//! Files through all cores in constant memory: one thread reads, some judge, one writes in the order of the file.

use super::input::{Input, Piece};
use super::judge::{Counts, Judged, Order, judge};
use crate::gate::Ids;
use crate::reading::Event;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// Where the lines go.
pub struct Outputs {
    /// Accepted events.
    pub accepted: Box<dyn Write + Send>,
    /// Audit rows of rejected ones.
    pub rejected: Box<dyn Write + Send>,
}

/// Judges a file.
pub fn run(input: Input, order: &Order, seed: [u8; 16], outputs: &mut Outputs) -> io::Result<Counts> {
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let (piece_to, piece_from) = sync_channel::<(usize, Piece)>(workers);
    let (judged_to, judged_from) = sync_channel::<(usize, Judged)>(workers);
    let piece_from = Mutex::new(piece_from);
    thread::scope(|scope| {
        let reader = scope.spawn(move || {
            let mut number = 0;
            input.pieces(|piece| {
                number += 1;
                piece_to.send((number - 1, piece)).is_ok()
            })
        });
        for worker in 0..workers {
            let (judged_to, piece_from) = (judged_to.clone(), &piece_from);
            scope.spawn(move || work(piece_from, &judged_to, order, worker_seed(seed, worker)));
        }
        drop(judged_to);
        let counts = write_in_order(&judged_from, outputs)?;
        match reader.join() {
            Ok(read) => read.map(|()| counts),
            Err(_) => Err(io::Error::other("the reader stopped")),
        }
    })
}

fn worker_seed(mut seed: [u8; 16], worker: usize) -> [u8; 16] {
    if let Some(byte) = seed.last_mut() {
        *byte ^= worker as u8;
    }
    seed
}

fn work(pieces: &Mutex<Receiver<(usize, Piece)>>, judged: &SyncSender<(usize, Judged)>, order: &Order, seed: [u8; 16]) {
    let mut ids = Ids::new(seed, order.context.received_at / 1000);
    let mut event = Event::default();
    loop {
        let next = match pieces.lock() {
            Ok(pieces) => pieces.recv(),
            Err(_) => return,
        };
        let Ok((number, piece)) = next else { return };
        if judged.send((number, judge(&piece, order, &mut ids, &mut event))).is_err() {
            return;
        }
    }
}

fn write_in_order(judged: &Receiver<(usize, Judged)>, outputs: &mut Outputs) -> io::Result<Counts> {
    let mut counts = Counts::default();
    let mut waiting = BTreeMap::new();
    let mut next = 0;
    for (number, piece) in judged {
        waiting.insert(number, piece);
        while let Some(piece) = waiting.remove(&next) {
            next += 1;
            counts.add(&piece.counts);
            outputs.accepted.write_all(&piece.accepted)?;
            outputs.rejected.write_all(&piece.rejected)?;
        }
    }
    outputs.accepted.flush()?;
    outputs.rejected.flush()?;
    Ok(counts)
}
