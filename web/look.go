package web

import "io/fs"

// Look are the files that browsers load: stylesheets, palettes, fonts and icons,
// for other servers whose pages shall look the same. Their folders may change,
// their names do not.
func Look() fs.FS { return static }
