package locale

import (
	"embed"
	"sync"

	"selo/locale/internal/keys"
)

//go:embed messages/*.json
var files embed.FS

// load reads the embedded catalogs once, at first use.
var load = sync.OnceValue(func() map[Lang]keys.Catalog {
	all := map[Lang]keys.Catalog{}
	for _, l := range Langs() {
		data, err := files.ReadFile("messages/" + string(l) + ".json")
		if err != nil {
			panic("locale: " + err.Error()) // the file is part of the program
		}
		c, err := keys.ParseCatalog(data)
		if err != nil {
			panic("locale: " + string(l) + ".json: " + err.Error())
		}
		all[l] = c
	}
	return all
})

// catalog returns the messages of lang; an unknown language reads Portuguese.
func catalog(lang Lang) keys.Catalog {
	all := load()
	if c, ok := all[lang]; ok {
		return c
	}
	return all[PT]
}
