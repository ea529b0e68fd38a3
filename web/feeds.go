package web

import (
	"net/url"
	"strings"
)

// Feed is a list of news that programs follow.
type Feed struct {
	Title string // in the page's language
	Path  string // of Portuguese, escaped, with its query; it ends in .atom or .json
}

// The addresses of the news, of Portuguese.
const (
	newsPath     = "/novidades"
	newsAtomPath = newsPath + ".atom"
	newsJSONPath = newsPath + ".json"
)

const (
	atomType     = "application/atom+xml"
	jsonFeedType = "application/feed+json"
)

// mediaType is the feed's, which its address tells.
func (f Feed) mediaType() string {
	path, _, _ := strings.Cut(f.Path, "?")
	if strings.HasSuffix(path, ".json") {
		return jsonFeedType
	}
	return atomType
}

// newsFeeds are the feeds of the news that a query chooses, for [Head.Feeds]:
// newsFeeds("Novidades da classe X", url.Values{"classe": {"X"}}). The
// parameters are those of the page of news; none means all news.
func newsFeeds(title string, query url.Values) []Feed {
	return []Feed{
		{title + " (Atom)", withQuery(newsAtomPath, query)},
		{title + " (JSON Feed)", withQuery(newsJSONPath, query)},
	}
}

// withQuery is a path with a query, if there is one.
func withQuery(path string, query url.Values) string {
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}
