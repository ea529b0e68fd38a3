// The pages that are looked at in every theme and language. A new page is a
// row here: a name for its screenshot, its Portuguese path, and the status it
// answers with when that is not 200.
export const pages = [
	{ name: "sobre", path: "/sobre" },
	{ name: "acessibilidade", path: "/acessibilidade" },
	{ name: "erro-404", path: "/nada-aqui", status: 404 },
];

export const languages = [
	{ tag: "pt-BR", prefix: "" },
	{ tag: "en", prefix: "/en" },
	{ tag: "es", prefix: "/es" },
];

// The values of the cookie "aparencia" (web/appearance.go); null: no cookie.
export const themes = [
	{ name: "claro", cookie: null },
	{ name: "contraste", cookie: "contraste.0" },
];
