//! Parquet files to rows: what `archive` writes, and what other engines write with the same columns.

use super::rows::{COLUMNS, CONTRACT, FIRST_CONTRACT, Kind, Listed, Rows, Values};
use parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type as Physical};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::types::{ColumnDescriptor, SchemaDescriptor};
use std::cell::Cell;
use std::fs::File;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::sync::Once;

/// How many rows are read at a time.
const AT_ONCE: usize = 8192;

/// A file being read.
pub struct Input {
    file: SerializedFileReader<File>,
    leaves: Vec<Option<Leaf>>,
    group: usize,
    columns: Vec<Option<ColumnReader>>,
    left: usize,
}

/// The place of a column in a file, and the unit of its times.
#[derive(Clone, Copy, Debug)]
struct Leaf {
    index: usize,
    is_optional: bool,
    unit: Unit,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Unit {
    Millis,
    Micros,
    Nanos,
}

impl Input {
    /// Opens a file of the event log. Columns with other names are ignored, but every required column must be there.
    pub fn open(path: &Path, required: &[&str]) -> Result<Self, String> {
        guarded(|| Self::open_unguarded(path, &COLUMNS, required))
    }

    /// Opens a file that has to have all of these columns.
    pub fn open_table(path: &Path, columns: &[Listed]) -> Result<Self, String> {
        let names: Vec<_> = columns.iter().map(|column| column.name).collect();
        guarded(|| Self::open_unguarded(path, columns, &names))
    }

    fn open_unguarded(path: &Path, columns: &[Listed], required: &[&str]) -> Result<Self, String> {
        let file = File::open(path).map_err(|error| error.to_string())?;
        let file = SerializedFileReader::new(file).map_err(|error| error.to_string())?;
        let schema = file.metadata().file_metadata().schema_descr_ptr();
        let leaves =
            columns.iter().map(|column| find(&schema, column.name, column.kind)).collect::<Result<Vec<_>, _>>()?;
        for (column, leaf) in columns.iter().zip(&leaves) {
            if leaf.is_none() && required.contains(&column.name) {
                return Err(format!("it has no column {}", column.name));
            }
        }
        Ok(Input { file, leaves, group: 0, columns: Vec::new(), left: 0 })
    }

    /// Replaces the rows given with the next ones, and returns whether there are any.
    pub fn next(&mut self, rows: &mut Rows) -> Result<bool, String> {
        guarded(|| self.next_unguarded(rows))
    }

    fn next_unguarded(&mut self, rows: &mut Rows) -> Result<bool, String> {
        rows.clear();
        while self.left == 0 {
            if self.group == self.file.num_row_groups() {
                return Ok(false);
            }
            let group = self.file.get_row_group(self.group).map_err(|error| error.to_string())?;
            self.group += 1;
            self.left = group.metadata().num_rows() as usize;
            self.columns.clear();
            for leaf in &self.leaves {
                let reader = leaf.map(|leaf| group.get_column_reader(leaf.index)).transpose();
                self.columns.push(reader.map_err(|error| error.to_string())?);
            }
        }
        let count = self.left.min(AT_ONCE);
        for (index, values) in rows.columns.iter_mut().enumerate() {
            let leaf = self.leaves.get(index).copied().flatten();
            match (leaf, self.columns.get_mut(index).and_then(Option::as_mut)) {
                (Some(leaf), Some(reader)) => {
                    read(reader, leaf, count, values).map_err(|error| error.to_string())?;
                }
                _ => match values {
                    Values::Text(texts) if index == CONTRACT => texts.resize(count, Some(FIRST_CONTRACT.into())),
                    Values::Text(texts) => texts.resize(count, None),
                    Values::Number(times) => times.resize(count, None),
                    Values::Flag(flags) => flags.resize(count, None),
                },
            }
        }
        self.left -= count;
        Ok(true)
    }
}

/// Reads with a library that panics at some damaged files instead of saying so. The panic is told to whoever asked for
/// the file, like any other fault of it.
fn guarded<T>(read: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    thread_local!(static IS_READING: Cell<bool> = const { Cell::new(false) });
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !IS_READING.get() {
                usual(info);
            }
        }));
    });
    IS_READING.set(true);
    let done = panic::catch_unwind(AssertUnwindSafe(read));
    IS_READING.set(false);
    done.unwrap_or_else(|_| Err("it is damaged".into()))
}

fn find(schema: &SchemaDescriptor, name: &str, kind: Kind) -> Result<Option<Leaf>, String> {
    let Some(index) =
        schema.columns().iter().position(|column| column.path().parts().first().is_some_and(|first| first == name))
    else {
        return Ok(None);
    };
    let column = schema.column(index);
    let unit = unit(&column);
    let fits = column.path().parts().len() == 1
        && column.max_rep_level() == 0
        && match kind {
            Kind::Id | Kind::Text | Kind::Json | Kind::Bytes => column.physical_type() == Physical::BYTE_ARRAY,
            Kind::Time => unit.is_some(),
            Kind::Flag => column.physical_type() == Physical::BOOLEAN,
            Kind::Number => column.physical_type() == Physical::INT64,
        };
    if !fits {
        let wanted = match kind {
            Kind::Id => "a UUID as a string",
            Kind::Text => "a string",
            Kind::Json => "JSON as a string",
            Kind::Time => "a timestamp",
            Kind::Flag => "a boolean",
            Kind::Number => "a number",
            Kind::Bytes => "bytes",
        };
        return Err(format!("its column {name} is not {wanted}"));
    }
    Ok(Some(Leaf { index, is_optional: column.max_def_level() > 0, unit: unit.unwrap_or(Unit::Micros) }))
}

/// The unit of a column's times; `None` if it does not hold times.
fn unit(column: &ColumnDescriptor) -> Option<Unit> {
    if column.physical_type() == Physical::INT96 {
        return Some(Unit::Nanos);
    }
    match (column.logical_type_ref(), column.converted_type()) {
        (Some(LogicalType::Timestamp(timestamp)), _) => Some(match timestamp.unit {
            TimeUnit::MILLIS => Unit::Millis,
            TimeUnit::MICROS => Unit::Micros,
            TimeUnit::NANOS => Unit::Nanos,
        }),
        (_, ConvertedType::TIMESTAMP_MILLIS) => Some(Unit::Millis),
        (_, ConvertedType::TIMESTAMP_MICROS) => Some(Unit::Micros),
        _ => None,
    }
}

fn read(reader: &mut ColumnReader, leaf: Leaf, count: usize, values: &mut Values) -> parquet::errors::Result<()> {
    match (reader, values) {
        (ColumnReader::ByteArrayColumnReader(reader), Values::Text(texts)) => {
            read_typed(reader, leaf, count, texts, |text: ByteArray| text)
        }
        (ColumnReader::BoolColumnReader(reader), Values::Flag(flags)) => {
            read_typed(reader, leaf, count, flags, |flag| flag)
        }
        (ColumnReader::Int64ColumnReader(reader), Values::Number(times)) => {
            read_typed(reader, leaf, count, times, |time: i64| match leaf.unit {
                Unit::Millis => time.saturating_mul(1000),
                Unit::Micros => time,
                Unit::Nanos => time.div_euclid(1000),
            })
        }
        (ColumnReader::Int96ColumnReader(reader), Values::Number(times)) => {
            read_typed(reader, leaf, count, times, |time| time.to_micros())
        }
        _ => Ok(()),
    }
}

fn read_typed<T: DataType, V>(
    reader: &mut ColumnReaderImpl<T>,
    leaf: Leaf,
    count: usize,
    out: &mut Vec<Option<V>>,
    convert: impl Fn(T::T) -> V,
) -> parquet::errors::Result<()> {
    let (mut present, mut levels) = (Vec::with_capacity(count), Vec::with_capacity(count));
    while out.len() < count {
        present.clear();
        levels.clear();
        let wanted = count - out.len();
        let (records, ..) = reader.read_records(wanted, leaf.is_optional.then_some(&mut levels), None, &mut present)?;
        if records == 0 {
            return Err(parquet::errors::ParquetError::EOF("a column has fewer rows than its row group".into()));
        }
        let mut present = present.drain(..).map(&convert);
        match leaf.is_optional {
            true => out.extend(levels.iter().map(|&level| if level > 0 { present.next() } else { None })),
            false => out.extend(present.map(Some)),
        }
    }
    Ok(())
}
