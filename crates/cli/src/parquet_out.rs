//! Writes rows to Parquet files: types that every reader knows, zstd, row groups of bounded size.

use super::rows::{Kind, Listed, Rows, Values, hex};
use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical, ZstdLevel};
use parquet::data_type::{BoolType, ByteArrayType, DataType, Int64Type};
use parquet::errors::{ParquetError, Result};
use parquet::file::properties::{WriterProperties, WriterPropertiesPtr};
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{ColumnPath, Type, TypePtr};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

/// How many rows a row group has, at most.
pub const GROUP_ROWS: usize = 100_000;
/// About how many bytes a row group has before compression, at most; writing holds as many in memory.
pub const GROUP_BYTES: usize = 48 << 20;

/// A file being written.
pub struct Output {
    writer: SerializedFileWriter<Hashing>,
    columns: &'static [Listed],
    /// How many rows are in it.
    pub rows: u64,
}

/// A file that was written.
pub struct Finished {
    /// How long it is.
    pub bytes: u64,
    /// Its SHA-256.
    pub sha256: String,
}

impl Output {
    pub fn create(path: &Path, columns: &'static [Listed]) -> Result<Self> {
        let file = Hashing { file: BufWriter::new(File::create_new(path)?), digest: Sha256::new(), bytes: 0 };
        Ok(Output { writer: SerializedFileWriter::new(file, schema(columns)?, properties()?)?, columns, rows: 0 })
    }

    /// Writes rows as a row group.
    pub fn write(&mut self, rows: &Rows) -> Result<()> {
        let mut group = self.writer.next_row_group()?;
        for (listed, values) in self.columns.iter().zip(&rows.columns) {
            let column = group.next_column()?.ok_or_else(|| ParquetError::General("a column is missing".into()))?;
            match values {
                Values::Text(texts) => write_column::<ByteArrayType>(column, listed, texts)?,
                Values::Number(times) => write_column::<Int64Type>(column, listed, times)?,
                Values::Flag(flags) => write_column::<BoolType>(column, listed, flags)?,
            }
        }
        group.close()?;
        self.rows += rows.len() as u64;
        Ok(())
    }

    /// Ends the file, and waits until it is on the disk.
    pub fn finish(self) -> Result<Finished> {
        let Hashing { file, digest, bytes } = self.writer.into_inner()?;
        file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        Ok(Finished { bytes, sha256: hex(&digest.finalize()) })
    }
}

fn write_column<T: DataType>(
    mut column: SerializedColumnWriter,
    listed: &Listed,
    values: &[Option<T::T>],
) -> Result<()> {
    let present: Vec<T::T> = values.iter().flatten().cloned().collect();
    let levels: Vec<i16> = values.iter().map(|value| i16::from(value.is_some())).collect();
    column.typed::<T>().write_batch(&present, (!listed.is_required).then_some(&levels), None)?;
    column.close()
}

fn schema(columns: &[Listed]) -> Result<TypePtr> {
    let fields = columns.iter().map(|column| {
        let (physical, logical) = match column.kind {
            Kind::Id | Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            Kind::Json => (Physical::BYTE_ARRAY, Some(LogicalType::Json)),
            Kind::Time => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MICROS))),
            Kind::Flag => (Physical::BOOLEAN, None),
            Kind::Number => (Physical::INT64, None),
            Kind::Bytes => (Physical::BYTE_ARRAY, None),
        };
        let repetition = if column.is_required { Repetition::REQUIRED } else { Repetition::OPTIONAL };
        Type::primitive_type_builder(column.name, physical)
            .with_logical_type(logical)
            .with_repetition(repetition)
            .build()
            .map(Arc::new)
    });
    let fields = fields.collect::<Result<Vec<_>>>()?;
    Type::group_type_builder("audience_event").with_fields(fields).build().map(Arc::new)
}

fn properties() -> Result<WriterPropertiesPtr> {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .set_created_by(concat!("audience-gate version ", env!("CARGO_PKG_VERSION")).into());
    // No two rows share these values, so a dictionary would cost space and save none.
    for unique in ["id", "created_at", "leaf_index", "event_id", "salt", "commitment", "hash"] {
        properties = properties.set_column_dictionary_enabled(ColumnPath::from(unique), false);
    }
    Ok(Arc::new(properties.build()))
}

/// A file that is hashed while it is written.
struct Hashing {
    file: BufWriter<File>,
    digest: Sha256,
    bytes: u64,
}

impl Write for Hashing {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.file.write(buffer)?;
        self.digest.update(buffer.get(..written).unwrap_or_default());
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
