package locale

func Text(lang, key string, args map[string]string) string { return key }

func Title(lang string) string { return Text(lang, "title.page", nil) }
