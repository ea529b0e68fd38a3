package web

// htmxConfig keeps htmx within the Content-Security-Policy and this site.
const htmxConfig = `{"includeIndicatorStyles":false,"allowEval":false,"allowScriptTags":false,"selfRequestsOnly":true}`

// openGraphType is what shared links call the page.
func openGraphType(head Head) string {
	if head.Type == "" {
		return "website"
	}
	return head.Type
}
