//! A JSON body whose defects are answered as problems.

use super::problem::{Kind, Problem};
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use serde::de::DeserializeOwned;

/// A JSON body of type `T`.
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        Json::from_request(request, state).await.map(|Json(value)| Self(value)).map_err(|rejection| problem(&rejection))
    }
}

fn problem(rejection: &JsonRejection) -> Problem {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(Kind::TooLarge),
        StatusCode::UNPROCESSABLE_ENTITY => Problem::with_detail(Kind::Incomplete, rejection.body_text()),
        _ => Problem::with_detail(Kind::Malformed, rejection.body_text()),
    }
}
