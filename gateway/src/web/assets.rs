//! The page: files of `gateway/hmi/dist`, inside the binary.
//!
//! Files whose name carries a hash are kept by the browser for good, the others are asked for again with their `ETag`.

use super::problem::{Kind, Problem};
use crate::hex::hex;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "hmi/dist"]
struct Dist;

/// Everything that is no route: a file of the page, or 404.
pub(super) async fn serve(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    let path = if path.is_empty() { "index.html" } else { path };
    let Some(file) = Dist::get(path) else {
        return Problem::new(Kind::NoSuchRoute).into_response();
    };
    if method != Method::GET && method != Method::HEAD {
        return Problem::new(Kind::MethodNotAllowed).into_response();
    }
    let etag = format!("W/\"{}\"", &hex(&file.metadata.sha256_hash())[..32]);
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let same = known.is_some_and(|list| list.split(',').any(|tag| tag.trim() == etag));
    let mut response = if same {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, mime(path))], Body::from(file.data.into_owned())).into_response()
    };
    let cache = if is_hashed(path) { "public, max-age=31536000, immutable" } else { "no-cache" };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        response.headers_mut().insert(header::ETAG, etag);
    }
    response
}

/// `assets/index-Bx3k9_Qa.js`: the bundler puts hashed files there and nothing else.
fn is_hashed(path: &str) -> bool {
    let stem = path.strip_prefix("assets/").and_then(|name| name.rsplit_once('.')).map_or("", |(stem, _)| stem);
    stem.len() > 9 && stem.is_char_boundary(stem.len() - 9) && stem[stem.len() - 9..].starts_with('-')
}

fn mime(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, end)| end) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "mp3" => "audio/mpeg",
        "wav" => "audio/wav",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_with_a_hash_are_kept_for_good() {
        assert!(is_hashed("assets/index-Bx3k9_Qa.js"));
        assert!(!is_hashed("index.html") && !is_hashed("assets/a.js") && !is_hashed("assets/longer_name.js"));
    }

    #[tokio::test]
    async fn the_page_is_served_with_an_etag_and_not_again_when_known() {
        let first = serve(Method::GET, Uri::from_static("/"), HeaderMap::new()).await;
        assert_eq!(first.status(), StatusCode::OK);
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_NONE_MATCH, first.headers()[header::ETAG].clone());
        assert_eq!(serve(Method::GET, Uri::from_static("/"), headers).await.status(), StatusCode::NOT_MODIFIED);
        let lost = serve(Method::GET, Uri::from_static("/../Cargo.toml"), HeaderMap::new()).await;
        assert_eq!(lost.status(), StatusCode::NOT_FOUND);
    }
}
