//! Whether a caller may do what he asks for: checked once his signature is verified, before a body is read.

use std::sync::Arc;

use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::path::S3Path;
use s3s::{S3Result, s3_error};

use super::auth::{Caller, Gate};
use super::places::Visit;
use super::rights::{Act, Owner};

#[async_trait::async_trait]
impl S3Auth for Gate {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        let found = self.keys.find(access_key, (self.clock)());
        found.map(|(pair, _)| SecretKey::from(pair.secret_key)).ok_or_else(|| s3_error!(InvalidAccessKeyId))
    }
}

#[async_trait::async_trait]
impl S3Access for Gate {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        let caller = match context.credentials().map(|credentials| credentials.access_key.clone()) {
            None => context.extensions_mut().get::<Caller>().cloned(),
            Some(access_key) => {
                let owner = self.keys.find(&access_key, (self.clock)()).map(|(_, owner)| owner);
                owner.map(|owner| Caller { access_key, owner })
            }
        };
        let Some(caller) = caller else {
            return Err(s3_error!(AccessDenied, "Access Denied"));
        };
        // Before the connection gets a place that it keeps: who has too many requests at work has enough places.
        if let Owner::Host(host) = &caller.owner {
            let Some(job) = self.work.begin(host) else {
                return Err(s3_error!(SlowDown, "Please reduce your request rate."));
            };
            // It ends with the request.
            context.extensions_mut().insert(Arc::new(job));
        }
        if let Some(visit) = context.extensions_mut().get::<Arc<Visit>>() {
            visit.prove();
        }
        self.keys.used(&caller.access_key);
        let (bucket, key) = match context.s3_path() {
            S3Path::Root => ("*", None),
            S3Path::Bucket { bucket } => (&**bucket, None),
            S3Path::Object { bucket, key } => (&**bucket, Some(&**key)),
        };
        let query = context.uri().query().unwrap_or_default();
        let act = Act { operation: context.s3_op().name(), bucket, key, query, headers: context.headers() };
        if let Some(refusal) = caller.owner.refusal(&act) {
            return Err(s3_error!(AccessDenied, "{refusal}"));
        }
        context.extensions_mut().insert(caller);
        Ok(())
    }
}
