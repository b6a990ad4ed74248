//! Why a whole request failed. What is wrong with a single row is a verdict, not an error.

use sea_orm::DbErr;

use crate::{
    db_error::is_passing,
    protocol::{ErrorBody, ErrorCode},
};

/// A request that was not carried out: nothing has changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The request cannot be carried out as it is.
    #[error("{message}")]
    Refused {
        /// The stable word for it.
        code: ErrorCode,
        /// What to do, for people. Holds nothing of the database.
        message: String,
    },
    /// A later push of the same device was taken before this one.
    #[error("this push was overtaken: the last one taken is {last}")]
    Overtaken {
        /// The number of the last push that was taken.
        last: i64,
    },
    /// The database failed. Its text is for the log only.
    #[error("the database failed")]
    Database(#[from] DbErr),
}

impl ServerError {
    pub(crate) fn refused(code: ErrorCode, message: impl Into<String>) -> Self {
        Self::Refused {
            code,
            message: message.into(),
        }
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::refused(ErrorCode::BadRequest, message)
    }

    /// What a device is told. Holds nothing of the database.
    pub fn body(&self) -> ErrorBody {
        let message = match (self, self.code()) {
            (Self::Database(_), ErrorCode::Unavailable) => {
                "the server cannot reach its database; try again later".to_owned()
            }
            (Self::Database(_), _) => "the server failed; its log says why".to_owned(),
            _ => self.to_string(),
        };
        let last_push_no = if let Self::Overtaken { last } = self {
            Some(*last)
        } else {
            None
        };
        ErrorBody {
            last_push_no,
            ..ErrorBody::new(self.code().as_str(), message)
        }
    }

    /// The stable word for it.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Refused { code, .. } => *code,
            Self::Overtaken { .. } => ErrorCode::PushOvertaken,
            Self::Database(error) if is_passing(error) => ErrorCode::Unavailable,
            Self::Database(_) => ErrorCode::Internal,
        }
    }
}
