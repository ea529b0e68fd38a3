// The pages that are looked at in every theme and language. A new page is a
// row here: a name for its screenshot, its Portuguese path, the status it
// answers with when that is not 200, how much of it the screenshot shows when
// that is not all, in pixels, how many sheets of paper a reference may take, and that an address with
// parameters is a page of its own (whole), no state of another.
export const pages = [
	{ name: "busca", path: "/" },
	{ name: "busca-lista", path: "/?q=ficticia&situacao=todas", whole: true },
	{ name: "busca-tabela", path: "/?q=ficticia&vista=tabela&ordem=numero" },
	{ name: "busca-vazia", path: "/?q=plugue+mentirex&uf=SP" },
	{ name: "busca-grafia", path: "/?q=capasete" },
	{ name: "busca-sugestoes", path: "/sugestoes?q=cap", whole: true },
	{ name: "verificar", path: "/verificar" },
	{ name: "verificar-sim", path: "/verificar?gtin=2990000000019", whole: true },
	{ name: "verificar-nao", path: "/verificar?marca=Mentirex&modelo=TM-10&cnpj=99.900.010%2F0001-40" },
	{ name: "verificar-em-parte", path: "/verificar?numero=DEMO-ADAP-012%2F24" },
	{ name: "verificar-nada", path: "/verificar?marca=fictoi&modelo=trenzinho" },
	{ name: "verificar-corrigir", path: "/verificar?gtin=2990000000018&marca=Fictoy&cnpj=12", status: 422 },
	{ name: "verificar-qr", path: "/verificar?qr=https%3A%2F%2Fselo.example.net%2Fcertificados%2FDEMO%2FDEMO-BRIN-108%252F25.001" },
	{ name: "novidades", path: "/novidades" },
	{ name: "novidades-filtro", path: "/novidades?tipo=suspenso&tipo=cancelado" },
	{ name: "novidades-vazia", path: "/novidades?classe=mentirex&antes=5" },
	{ name: "novidades-erro", path: "/novidades?tipo=vencido", status: 422 },
	{ name: "organismos", path: "/organismos" },
	{ name: "organismos-vazia", path: "/organismos?q=zzzz" },
	{ name: "organismo", path: "/organismos/DEMO" },
	{ name: "organismo-404", path: "/organismos/NADA", status: 404 },
	{ name: "classes", path: "/classes" },
	{ name: "classes-vazia", path: "/classes?q=trator" },
	{ name: "classe", path: "/classes/eletrodomesticos" },
	{ name: "classe-dia", path: "/classes/brinquedos?em=2025-03-01" },
	{ name: "classe-sem-certificados", path: "/classes/cachaca" },
	{ name: "classe-data", path: "/classes/brinquedos?em=ontem", status: 422 },
	{ name: "empresas", path: "/empresas" },
	{ name: "empresas-vazia", path: "/empresas?q=mentirex+fulana" },
	{ name: "empresa", path: "/empresas/99900010000140" },
	{ name: "empresa-404", path: "/empresas/99900099000199", status: 404 },
	{ name: "dados", path: "/dados" },
	{ name: "dados-dicionario", path: "/dados/dicionario", tallest: 4000, sheets: 20 },
	{ name: "dados-api", path: "/dados/api", tallest: 4000, sheets: 50 },
	{ name: "dados-graficos", path: "/dados/graficos" },
	{ name: "dados-404", path: "/dados/nada", status: 404 },
	{ name: "entrar", path: "/entrar" },
	{ name: "entrar-recusada", path: "/entrar?motivo=recusada" },
	{ name: "saiu", path: "/sair" },
	{ name: "sobre", path: "/sobre" },
	{ name: "acessibilidade", path: "/acessibilidade" },
	{ name: "certificado", path: "/certificados/DEMO/DEMO-BRIN-108%2F25.001" },
	{ name: "certificado-suspenso", path: "/certificados/DEMO/DEMO-PLUG-233%2F24" },
	{ name: "certificado-expirado", path: "/certificados/DEMO/DEMO-FIOS-021%2F19" },
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
