//! An outbox in SQLite.

use async_trait::async_trait;
use sqlx::{Row as _, SqliteConnection, SqlitePool};

use crate::{Entry, InvalidMessage, OutboxMessage, OutboxStore, StoreError};

const TABLE: &str = "CREATE TABLE IF NOT EXISTS rocketmq_outbox (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    head TEXT NOT NULL,
    body BLOB NOT NULL,
    failure TEXT
)";

/// An outbox in the table `rocketmq_outbox` of an SQLite database. Clones share the pool. The crate's page shows a use.
#[derive(Debug, Clone)]
pub struct SqliteOutbox {
    pool: SqlitePool,
}

/// Tells why a message was not put into the outbox.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PutError {
    /// No broker would take the message.
    #[error(transparent)]
    Invalid(#[from] InvalidMessage),
    /// The database refused; the transaction cannot be committed with the message.
    #[error("the message was not written to the table rocketmq_outbox")]
    Database(#[from] sqlx::Error),
}

impl SqliteOutbox {
    /// Opens the outbox of a database, and makes its table if there is none.
    ///
    /// # Errors
    /// Fails if the table can be neither found nor made.
    ///
    /// # Cancel safety
    /// Dropping the future leaves either the table or none.
    pub async fn open(pool: SqlitePool) -> Result<Self, sqlx::Error> {
        sqlx::query(TABLE).execute(&pool).await?;
        Ok(Self { pool })
    }

    /// Writes a message in a transaction of the application, and returns its id. The message is sent if the transaction is committed.
    /// Call [`RunningRelay::wake`](crate::RunningRelay::wake) after the commit to have it sent at once.
    ///
    /// # Errors
    /// Fails for a message without topic or body, and when the database refuses. Roll the transaction back then.
    ///
    /// # Cancel safety
    /// After the future is dropped the message may or may not be a part of the transaction: roll it back.
    pub async fn put(
        &self,
        transaction: &mut SqliteConnection,
        message: &OutboxMessage,
    ) -> Result<String, PutError> {
        let row = message.to_row()?;
        let insert = sqlx::query("INSERT INTO rocketmq_outbox (id, head, body) VALUES (?, ?, ?)");
        insert.bind(&row.id).bind(row.head).bind(row.body.as_ref()).execute(transaction).await?;
        Ok(row.id)
    }

    /// Returns the ids of the messages that no broker takes, each with the reason.
    ///
    /// # Errors
    /// Fails if the table cannot be read.
    ///
    /// # Cancel safety
    /// Nothing is changed.
    pub async fn failures(&self) -> Result<Vec<(String, String)>, sqlx::Error> {
        let failed = "SELECT id, failure FROM rocketmq_outbox WHERE failure IS NOT NULL ORDER BY position";
        sqlx::query_as(failed).fetch_all(&self.pool).await
    }

    /// Lets a message that was set aside be sent again. Returns false if no such message waits for it.
    ///
    /// # Errors
    /// Fails if the table cannot be changed.
    ///
    /// # Cancel safety
    /// After the future is dropped the message may or may not be sent again.
    pub async fn retry(&self, id: &str) -> Result<bool, sqlx::Error> {
        let update = "UPDATE rocketmq_outbox SET failure = NULL WHERE id = ? AND failure IS NOT NULL";
        Ok(sqlx::query(update).bind(id).execute(&self.pool).await?.rows_affected() > 0)
    }
}

#[async_trait]
impl OutboxStore for SqliteOutbox {
    async fn waiting(&self, after: i64, limit: usize) -> Result<Vec<Entry>, StoreError> {
        let select = "SELECT position, id, head, body FROM rocketmq_outbox \
                      WHERE position > ? AND failure IS NULL ORDER BY position LIMIT ?";
        let rows = sqlx::query(select).bind(after).bind(i64::try_from(limit)?).fetch_all(&self.pool).await?;
        rows.iter()
            .map(|row| {
                let (position, id) = (row.try_get("position")?, row.try_get::<String, _>("id")?);
                let head: &str = row.try_get("head")?;
                let message =
                    OutboxMessage::from_row(head, row.try_get::<Vec<u8>, _>("body")?).map_err(|error| {
                        format!("the message {id} of the table rocketmq_outbox is damaged: {error}")
                    })?;
                Ok(Entry { position, id, message })
            })
            .collect()
    }

    async fn remove(&self, positions: &[i64]) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        for position in positions {
            let delete = sqlx::query("DELETE FROM rocketmq_outbox WHERE position = ?").bind(position);
            delete.execute(&mut *transaction).await?;
        }
        Ok(transaction.commit().await?)
    }

    async fn set_aside(&self, position: i64, why: &str) -> Result<(), StoreError> {
        let update = sqlx::query("UPDATE rocketmq_outbox SET failure = ? WHERE position = ?");
        update.bind(why).bind(position).execute(&self.pool).await?;
        Ok(())
    }
}
