//! Judges a file on all cores in constant memory: each worker reads a piece, judges it while the next worker reads, and
//! writes it once all pieces before it are written.

use super::counts::Counts;
use super::input::{Input, Piece};
use super::judge::{File, Judge, Judged, Order};
use std::io::{self, Write};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// Where the lines go, and their counts.
pub struct Outputs {
    /// Accepted events.
    pub accepted: Box<dyn Write + Send>,
    /// Audit rows of rejected events.
    pub rejected: Box<dyn Write + Send>,
    /// Both as an Arrow stream.
    pub rows: Box<dyn Write + Send>,
    /// The counts of all events written so far.
    pub counts: Counts,
}

/// What can go wrong with a file.
pub enum Trouble {
    /// It cannot be read to its end; what was read before that is judged.
    Reading(io::Error),
    /// The lines cannot be written.
    Writing(io::Error),
}

/// Judges a file.
pub fn run(input: Input, order: &Order, file: File, outputs: &mut Outputs) -> Result<(), Trouble> {
    let shelf = Mutex::new(Shelf { input: Some(input), taken: 0, trouble: None });
    let desk = Desk { state: Mutex::new(Writing { outputs, written: 0, trouble: None }), turn: Condvar::new() };
    // One more than there are cores: while a worker waits for its turn, another has something to do.
    let workers = order.threads.unwrap_or(thread::available_parallelism().map_or(1, usize::from) + 1);
    thread::scope(|scope| {
        for _ in 0..workers {
            let judge = Judge::new(order, file);
            let (shelf, desk) = (&shelf, &desk);
            scope.spawn(move || work(shelf, desk, judge));
        }
    });
    let writing = desk.state.into_inner().unwrap_or_else(PoisonError::into_inner);
    let reading = shelf.into_inner().unwrap_or_else(PoisonError::into_inner);
    match (writing.trouble, reading.trouble) {
        (Some(error), _) => Err(Trouble::Writing(error)),
        (None, Some(error)) => Err(Trouble::Reading(error)),
        (None, None) => Ok(()),
    }
}

fn work(shelf: &Mutex<Shelf>, desk: &Desk, mut judge: Judge) {
    let (mut piece, mut judged) = (Piece::default(), Judged::default());
    loop {
        // Not `while let`, which would keep the shelf locked until the piece is judged.
        let Some(number) = lock(shelf).take(&mut piece) else {
            return;
        };
        piece.split();
        let mut start = 0;
        for &(end, line) in &piece.ends {
            let event = piece.bytes.get(start..end).unwrap_or_default();
            start = end;
            judge.one(event, line, &mut judged);
            if judged.is_full() {
                drop(desk.write(number, &mut judged));
            }
        }
        judge.end_batch(&mut judged);
        if desk.finish(number, &mut judged) {
            return;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The file, from which the workers take pieces in turn.
struct Shelf {
    input: Option<Input>,
    taken: u64,
    trouble: Option<io::Error>,
}

impl Shelf {
    /// Takes the next piece, and returns its number.
    fn take(&mut self, piece: &mut Piece) -> Option<u64> {
        let found = self.input.as_mut()?.next(piece);
        if !matches!(found, Ok(true)) {
            self.input = None;
        }
        self.trouble = found.err();
        self.taken += 1;
        (!piece.is_empty()).then_some(self.taken - 1)
    }
}

/// Where pieces are written in order.
struct Desk<'a> {
    state: Mutex<Writing<'a>>,
    turn: Condvar,
}

struct Writing<'a> {
    outputs: &'a mut Outputs,
    written: u64,
    trouble: Option<io::Error>,
}

impl<'a> Desk<'a> {
    /// Waits for a piece's turn, then writes what was judged of it.
    fn write(&self, number: u64, judged: &mut Judged) -> MutexGuard<'_, Writing<'a>> {
        let is_early = |writing: &mut Writing| writing.written != number;
        let mut writing = self.turn.wait_while(lock(&self.state), is_early).unwrap_or_else(PoisonError::into_inner);
        if writing.trouble.is_none() {
            writing.trouble = writing.outputs.add(judged).err();
        }
        judged.clear();
        writing
    }

    /// Writes the rest of a piece, and returns whether writing has failed.
    fn finish(&self, number: u64, judged: &mut Judged) -> bool {
        let mut writing = self.write(number, judged);
        writing.written += 1;
        self.turn.notify_all();
        writing.trouble.is_some()
    }
}

impl Outputs {
    fn add(&mut self, judged: &mut Judged) -> io::Result<()> {
        if let Some(error) = judged.trouble.take() {
            return Err(error);
        }
        self.counts.add(&judged.counts);
        self.accepted.write_all(&judged.accepted)?;
        self.rejected.write_all(&judged.rejected)?;
        self.rows.write_all(&judged.rows)
    }
}
