package web

import (
	"strings"

	"selo/locale"
)

// prefixes are where each language has its pages; the source has no prefix, so
// that the stable addresses of certificates are the short ones.
var prefixes = map[locale.Lang]string{locale.PT: "", locale.EN: "/en", locale.ES: "/es"}

// languageTags are the languages as HTML and HTTP name them.
var languageTags = map[locale.Lang]string{locale.PT: "pt-BR", locale.EN: "en", locale.ES: "es"}

// openGraphTags are the languages as Open Graph names them.
var openGraphTags = map[locale.Lang]string{locale.PT: "pt_BR", locale.EN: "en_US", locale.ES: "es_ES"}

// ownNames are the languages in their own words; they read the same everywhere.
var ownNames = map[locale.Lang]string{locale.PT: "Português", locale.EN: "English", locale.ES: "Español"}

// splitLanguage cuts the language off an escaped path: "/en/sobre" is English
// and "/sobre"; "/en" is English and "".
func splitLanguage(path string) (lang locale.Lang, rest string) {
	for _, lang := range locale.Langs() {
		prefix := prefixes[lang]
		if rest, ok := strings.CutPrefix(path, prefix); ok && prefix != "" && (rest == "" || rest[0] == '/') {
			return lang, rest
		}
	}
	return locale.PT, path
}
