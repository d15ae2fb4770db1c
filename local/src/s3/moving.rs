//! A body that must go on coming.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Frame};
use s3s::StdError;
use tokio::time::{Instant, Sleep, sleep};

/// What the error says of a body that stalls.
pub(super) const STALLED: &str = "nothing more came of the body";

/// A body that fails once nothing has come of it for a while: its request would keep its place for nothing.
pub(super) struct Moving<B> {
    body: B,
    patience: Duration,
    idle: Pin<Box<Sleep>>,
}

impl<B> Moving<B> {
    pub(super) fn new(body: B, patience: Duration) -> Self {
        Self { body, patience, idle: Box::pin(sleep(patience)) }
    }
}

impl<B: Body<Error: Into<StdError>> + Unpin> Body for Moving<B> {
    type Data = B::Data;
    type Error = StdError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, StdError>>> {
        if let Poll::Ready(next) = Pin::new(&mut self.body).poll_frame(cx) {
            let until = Instant::now() + self.patience;
            self.idle.as_mut().reset(until);
            return Poll::Ready(next.map(|frame| frame.map_err(Into::into)));
        }
        self.idle.as_mut().poll(cx).map(|()| Some(Err(STALLED.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        self.body.size_hint()
    }
}
