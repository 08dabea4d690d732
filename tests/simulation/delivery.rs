//! Due rows on their way to their consumers, as AWS brings them: the table's own stream, queues,
//! schedules and the sweeper.

use chrono::{DateTime, TimeDelta, Utc};
use dynoxide::actions::describe_stream::DescribeStreamRequest;
use dynoxide::actions::get_records::GetRecordsRequest;
use dynoxide::actions::get_shard_iterator::GetShardIteratorRequest;
use dynoxide::actions::list_streams::ListStreamsRequest;
use platform::dispatch::{Dispatch, DueKey};
use rand::RngExt;
use rand::seq::SliceRandom;
use serde_json::json;

use crate::queues::{Queues, Received};
use crate::simulated::{Act, Came, Simulated, TABLE};

const BETWEEN_SWEEPS: TimeDelta = TimeDelta::minutes(5);

/// What brings rows from the table to their consumers.
pub(crate) struct Delivery {
    pub(crate) queues: Queues,
    /// How many rows sweeps have sent on.
    pub(crate) swept: usize,
    next_sweep: DateTime<Utc>,
    iterator: String,
    /// Records that were held up on their way.
    held_up: Vec<DueKey>,
}

impl Delivery {
    /// Every row that is written from now on is brought to its consumer.
    pub(crate) fn of(world: &Simulated) -> Self {
        let streaming = json!({
            "TableName": TABLE,
            "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_IMAGE"},
        });
        let database = &world.database;
        let streaming = serde_json::from_value(streaming).unwrap();
        database.update_table(streaming).unwrap();
        let streams = database
            .list_streams(ListStreamsRequest::default())
            .unwrap();
        let stream_arn = streams.streams[0].stream_arn.clone();
        let described = database.describe_stream(DescribeStreamRequest {
            stream_arn: stream_arn.clone(),
            ..DescribeStreamRequest::default()
        });
        let shard = described.unwrap().stream_description.shards.remove(0);
        let iterator = database.get_shard_iterator(GetShardIteratorRequest {
            stream_arn,
            shard_id: shard.shard_id,
            shard_iterator_type: "TRIM_HORIZON".to_owned(),
            sequence_number: None,
        });
        Self {
            queues: Queues::new(world.clock.clone()),
            swept: 0,
            next_sweep: world.now() + BETWEEN_SWEEPS,
            iterator: iterator.unwrap().shard_iterator.unwrap(),
            held_up: Vec::new(),
        }
    }

    /// Lets time pass, in which everything happens that falls due.
    pub(crate) async fn live(&mut self, world: &mut Simulated, time: TimeDelta) {
        let end = world.now() + time;
        loop {
            self.turn(world).await;
            if world.now() >= end {
                return;
            }
            let next = self.queues.next().unwrap_or(end);
            let next = next.min(self.next_sweep).min(end);
            world.clock.set(next.max(world.now()));
        }
    }

    /// Everything that can happen at this instant.
    async fn turn(&mut self, world: &mut Simulated) {
        loop {
            self.read_stream(world).await;
            self.queues.fire();
            if world.now() >= self.next_sweep {
                self.next_sweep += BETWEEN_SWEEPS;
                let sweep = Act::Sweep(self.queues.clone());
                if let [Some(Came::Swept(swept))] = world.together(&[sweep]).await[..] {
                    self.swept += swept.sent;
                }
            }
            let received = self.queues.receive();
            if received.is_empty() && self.held_up.is_empty() {
                return;
            }
            self.deal_with(world, received).await;
        }
    }

    /// Some at the same time. What was dealt with is deleted from the queue, though not always.
    async fn deal_with(&self, world: &mut Simulated, mut received: Vec<Received>) {
        received.shuffle(&mut world.chance);
        while !received.is_empty() {
            let some = world.chance.random_range(1..=4).min(received.len());
            let some = received.split_off(received.len() - some);
            let acts: Vec<Act> = some
                .iter()
                .map(|(_, key)| Act::Receive(key.clone()))
                .collect();
            let came = world.together(&acts).await;
            for ((number, _), came) in some.iter().zip(came) {
                let done = matches!(came, Some(Came::Delivered(true)));
                if done && world.chance.random_range(0..20) > 0 {
                    self.queues.delete(*number);
                }
            }
        }
    }

    /// Sends on what the stream says, each record one to three times, in no order, some of them later.
    async fn read_stream(&mut self, world: &mut Simulated) {
        let mut records = std::mem::take(&mut self.held_up);
        loop {
            let request = GetRecordsRequest {
                shard_iterator: std::mem::take(&mut self.iterator),
                limit: None,
            };
            let read = world.database.get_records(request).unwrap();
            self.iterator = read.next_shard_iterator.unwrap();
            if read.records.is_empty() {
                break;
            }
            let images = read
                .records
                .into_iter()
                .filter_map(|record| record.dynamodb.new_image);
            for row in images.filter_map(|image| announced(&image)) {
                let times = world.chance.random_range(1..=3);
                records.extend(std::iter::repeat_n(row, times));
            }
        }
        records.shuffle(&mut world.chance);
        let later = records.len() / 4;
        self.held_up = records.split_off(records.len() - later);
        self.queues.dispatch(&records).await.unwrap();
    }
}

fn announced(image: &dynoxide::types::Item) -> Option<DueKey> {
    let image = serde_json::to_value(image).unwrap();
    let announced = store::announced(&serde_json::from_value(image).unwrap())?;
    Some(DueKey {
        pk: announced.key.pk,
        sk: announced.key.sk,
        kind: announced.consumer.kind().to_owned(),
        at: announced.at,
    })
}
