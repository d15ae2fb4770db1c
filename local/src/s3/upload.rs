//! A request's body, of which something may be left when the request is answered.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use tokio::time::timeout;

/// How much of what is left is read, and for how long.
const LEFT_BYTES: usize = 1 << 20;
const LEFT_TIME: Duration = Duration::from_secs(1);

/// A body. Its clones are the same body.
#[derive(Clone)]
pub(super) struct Upload(Arc<Mutex<Incoming>>);

impl Upload {
    pub(super) fn of(body: Incoming) -> Self {
        Self(Arc::new(Mutex::new(body)))
    }

    /// Whether nothing is left.
    pub(super) fn is_read(&self) -> bool {
        self.body().is_end_stream()
    }

    /// Reads what the client of a refused request still sends: if its connection were closed meanwhile, it would not
    /// see the answer.
    pub(super) async fn drain(&self) {
        let all = async {
            let (mut bytes, mut left) = (0, self.clone());
            while let Some(Ok(frame)) = left.frame().await {
                bytes += frame.data_ref().map_or(0, Bytes::len);
                if bytes > LEFT_BYTES {
                    break;
                }
            }
        };
        let _ = timeout(LEFT_TIME, all).await;
    }

    fn body(&self) -> MutexGuard<'_, Incoming> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        Pin::new(&mut *self.body()).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.is_read()
    }

    fn size_hint(&self) -> SizeHint {
        self.body().size_hint()
    }
}
