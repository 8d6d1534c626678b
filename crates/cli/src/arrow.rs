//! Judged events as an Arrow stream: the form in which engines such as Spark take them without reading them again.

use super::counts::Violation;
use super::input::PIECE;
use arrow_array::builder::{
    ArrayBuilder, BooleanBuilder, Int64Builder, ListBuilder, StringBuilder, StructBuilder, TimestampMicrosecondBuilder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_ipc::writer::{
    DictionaryTracker, IpcDataGenerator, IpcWriteContext, IpcWriteOptions, StreamWriter, write_message,
};
use arrow_schema::{ArrowError, DataType, Field as Column, Fields, Schema, SchemaRef, TimeUnit};
use audience_gate::contract::vocabulary::{Field, Kind};
use audience_gate::ids::Id;
use audience_gate::parse::{Parser, Reader, string};
use std::sync::Arc;

/// The text columns and the fields they hold, in the order of the table of events.
const TEXTS: [(&str, Field); 13] = [
    ("id", Field::Id),
    ("user_id", Field::UserId),
    ("session_id", Field::SessionId),
    ("event_type", Field::EventType),
    ("event_category", Field::EventCategory),
    ("event_source", Field::EventSource),
    ("utm_source", Field::UtmSource),
    ("utm_medium", Field::UtmMedium),
    ("utm_campaign", Field::UtmCampaign),
    ("utm_content", Field::UtmContent),
    ("utm_term", Field::UtmTerm),
    ("metadata", Field::Metadata),
    ("site_id", Field::SiteId),
];

/// The bytes that end a stream.
pub const END: [u8; 8] = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];

/// What became of an event, apart from its fields.
pub struct Fate<'a> {
    /// The sender's id, where a rejected event has one.
    pub id: Option<&'a Id>,
    /// When it occurred, where that can be read.
    pub occurred_at: Option<i64>,
    /// The line it stands on, or its place in the array.
    pub number: u64,
    /// The rules that it violates, and where.
    pub violations: &'a [Violation],
}

/// Rows still to be written.
pub struct Rows {
    schema: SchemaRef,
    texts: [StringBuilder; TEXTS.len()],
    occurred_at: TimestampMicrosecondBuilder,
    rejected: BooleanBuilder,
    line: Int64Builder,
    rule: StringBuilder,
    violations: ListBuilder<StructBuilder>,
    parser: Parser,
    bytes: usize,
}

impl Default for Rows {
    fn default() -> Self {
        Rows {
            schema: schema(),
            texts: Default::default(),
            occurred_at: TimestampMicrosecondBuilder::new().with_timezone(ZONE),
            rejected: BooleanBuilder::new(),
            line: Int64Builder::new(),
            rule: StringBuilder::new(),
            violations: ListBuilder::new(StructBuilder::from_fields(violation(), 0)),
            parser: Parser::default(),
            bytes: 0,
        }
    }
}

const ZONE: &str = "UTC";

fn schema() -> SchemaRef {
    let mut columns: Vec<_> = TEXTS.iter().map(|&(name, _)| Column::new(name, DataType::Utf8, true)).collect();
    let item = Arc::new(Column::new("item", DataType::Struct(violation()), true));
    columns.extend([
        Column::new("occurred_at", DataType::Timestamp(TimeUnit::Microsecond, Some(ZONE.into())), true),
        Column::new("rejected", DataType::Boolean, true),
        Column::new("line", DataType::Int64, true),
        Column::new("validation_rule_id", DataType::Utf8, true),
        Column::new("violations", DataType::List(item), true),
    ]);
    Arc::new(Schema::new(columns))
}

/// The columns of one violation.
fn violation() -> Fields {
    ["rule_id", "path"].map(|name| Column::new(name, DataType::Utf8, true)).into_iter().collect()
}

/// The bytes that begin a stream.
pub fn beginning() -> Result<Vec<u8>, ArrowError> {
    let writer = StreamWriter::try_new(Vec::new(), &schema())?;
    writer.into_inner().map(|mut bytes| {
        bytes.truncate(bytes.len() - END.len());
        bytes
    })
}

impl Rows {
    /// Adds a row: the line that `--accepted` or `--rejected` would write, and what became of it.
    pub fn add(&mut self, line: &[u8], fate: &Fate) {
        // The gate wrote this line itself, so it can be read.
        let _ = Reader::new(line).event(&mut self.parser);
        let is_rejected = !fate.violations.is_empty();
        for (column, &(_, field)) in self.texts.iter_mut().zip(&TEXTS) {
            let value = self.parser.event.value(field);
            match (is_rejected, field, value.kind()) {
                (true, Field::Id, _) => column.append_option(fate.id.map(|id| String::from_utf8_lossy(id))),
                (true, Field::EventType, _) => column.append_value(audience_gate::gate::rejected::EVENT_TYPE),
                (true, Field::EventCategory, _) => column.append_value("system"),
                (_, _, Kind::Text) => column.append_value(String::from_utf8_lossy(&string::content(line, value))),
                (_, Field::Metadata, Kind::Object) => column.append_value(String::from_utf8_lossy(value.raw(line))),
                (_, Field::Metadata, _) => column.append_value("{}"),
                _ => column.append_null(),
            }
        }
        self.occurred_at.append_option(fate.occurred_at);
        self.rejected.append_value(is_rejected);
        self.line.append_value(fate.number as i64);
        self.rule.append_option(fate.violations.first().map(|first| &first.rule_id));
        for Violation { rule_id, path } in fate.violations {
            let one = self.violations.values();
            for (column, text) in [rule_id, path].into_iter().enumerate() {
                if let Some(texts) = one.field_builder::<StringBuilder>(column) {
                    texts.append_value(text);
                }
            }
            one.append(true);
        }
        self.violations.append(is_rejected);
        self.bytes += line.len();
    }

    /// Whether the rows should be written before more are added.
    pub fn is_full(&self) -> bool {
        self.bytes >= PIECE
    }

    /// Appends the rows to the stream as a batch, and clears them.
    pub fn write(&mut self, out: &mut Vec<u8>) -> Result<(), ArrowError> {
        if self.line.is_empty() {
            return Ok(());
        }
        let mut columns: Vec<ArrayRef> = self.texts.iter_mut().map(|column| ArrayBuilder::finish(column)).collect();
        columns.extend([
            ArrayBuilder::finish(&mut self.occurred_at),
            ArrayBuilder::finish(&mut self.rejected),
            ArrayBuilder::finish(&mut self.line),
            ArrayBuilder::finish(&mut self.rule),
            ArrayBuilder::finish(&mut self.violations),
        ]);
        self.bytes = 0;
        let batch = RecordBatch::try_new(self.schema.clone(), columns)?;
        let options = IpcWriteOptions::default();
        let generator = IpcDataGenerator::default();
        let mut none = DictionaryTracker::new(false);
        let (_, encoded) = generator.encode(&batch, &mut none, &options, &mut IpcWriteContext::default())?;
        write_message(&mut *out, encoded, &options)?;
        Ok(())
    }
}
