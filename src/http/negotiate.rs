//! In which media type an answer is given (GraphQL over HTTP, section 6; RFC 9110, section 12.5.1).

use axum::http::{HeaderMap, StatusCode, header};

/// The media types of answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Media {
    /// `application/graphql-response+json`: the status says how it went.
    GraphqlResponse,
    /// `application/json`: for clients that take any other status than 200 for a fault of the network.
    Json,
}

impl Media {
    /// As it stands in `Content-Type`.
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        }
    }

    /// The status of a request that did not run because of what it says.
    pub(super) fn status_of_request_error(self) -> StatusCode {
        match self {
            Self::GraphqlResponse => StatusCode::BAD_REQUEST,
            Self::Json => StatusCode::OK,
        }
    }

    /// The media type that the client likes best; `None` if it takes neither.
    pub(super) fn accepted(headers: &HeaderMap) -> Option<Self> {
        let ranges: Vec<&str> = headers
            .get_all(header::ACCEPT)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .filter(|range| !range.trim().is_empty())
            .collect();
        if ranges.is_empty() {
            return Some(Self::Json);
        }
        let liked = |media: Self| ranges.iter().filter_map(|range| media.liking(range)).max_by_key(|liking| liking.1);
        let best = [Self::GraphqlResponse, Self::Json].into_iter().filter_map(|media| Some((media, liked(media)?)));
        // The most specific range decides about a media type; between the two, the quality, then which was named.
        best.filter(|(_, (quality, _))| *quality > 0)
            .max_by_key(|(media, (quality, specific))| (*quality, *specific, *media == Self::Json))
            .map(|(media, _)| media)
    }

    /// How much a range likes this media type, in thousandths, and how specific the range is.
    fn liking(self, range: &str) -> Option<(u16, u8)> {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next()?.to_ascii_lowercase();
        let specific = match (self, name.as_str()) {
            (Self::GraphqlResponse, "application/graphql-response+json") => 2,
            (Self::Json, "application/json") => 2,
            (_, "application/*") => 1,
            (_, "*/*") => 0,
            _ => return None,
        };
        let mut quality = 1_000;
        for parameter in parts {
            let (key, value) = parameter.split_once('=')?;
            match key.trim().to_ascii_lowercase().as_str() {
                "q" => quality = thousandths(value.trim()),
                "charset" if !value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8") => return None,
                _ => {}
            }
        }
        Some((quality, specific))
    }
}

fn thousandths(quality: &str) -> u16 {
    let quality = quality.parse::<f32>().unwrap_or(0.0).clamp(0.0, 1.0);
    [0, 1_000]
        .into_iter()
        .find(|n| f32::from(*n) == quality * 1_000.0)
        .unwrap_or_else(|| (1..1_000).find(|n| f32::from(*n) >= quality * 1_000.0).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn accepted(accept: &[&'static str]) -> Option<Media> {
        let mut headers = HeaderMap::new();
        for value in accept {
            headers.append(header::ACCEPT, HeaderValue::from_static(value));
        }
        Media::accepted(&headers)
    }

    #[test]
    fn the_media_type_that_the_client_likes_best_is_chosen() {
        use Media::{GraphqlResponse, Json};
        for (accept, media) in [
            (&[][..], Some(Json)),
            (&["*/*"], Some(Json)),
            (&["application/json"], Some(Json)),
            (&["application/graphql-response+json"], Some(GraphqlResponse)),
            (&["application/graphql-response+json, application/json;q=0.9"], Some(GraphqlResponse)),
            (&["application/json;q=0.5, application/graphql-response+json;q=0.4"], Some(Json)),
            (&["application/json;q=0.4, APPLICATION/graphql-response+json;q=0.5"], Some(GraphqlResponse)),
            (&["application/graphql-response+json", "application/json;q=0.1"], Some(GraphqlResponse)),
            (&["application/graphql-response+json, */*"], Some(GraphqlResponse)),
            (&["application/json;q=0, */*"], Some(GraphqlResponse)),
            (&["application/json; charset=utf-8"], Some(Json)),
            (&["application/json; charset=latin1"], None),
            (&["text/html"], None),
            (&["text/html, application/*;q=0.2"], Some(Json)),
            (&["application/json;q=0"], None),
        ] {
            assert_eq!(accepted(accept), media, "{accept:?}");
        }
    }
}
