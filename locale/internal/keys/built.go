package keys

import (
	"slices"
	"strings"
)

// built lists what the running program puts in the place of "*" in each
// pattern of the sources. A pattern that stands in one only fails a test.
var built = map[string][]string{
	"cli.remessa.*":       {"confirmada", "invalidada"},
	"cli.remessa.scope.*": {"parcial", "completa"},
	"cli.remessa.state.*": {"preparada", "enviada", "confirmada", "invalidada", "cancelada"},
	"cli.situation.*":     {"ativo", "suspenso", "cancelado", "expirado"},
	"cli.verify.base.*":   {"registro", "certificador", "par", "catalogo"},
	"history.*": {"record.created", "record.imported", "record.approved", "record.reopened", "record.adopted",
		"draft.saved", "draft.discarded", "draft.merged",
		"remessa.prepared", "remessa.sent", "remessa.cancelled", "remessa.confirmed", "remessa.invalidated"},
	"mail.*.subject": {"confirmada", "invalidada"},
	"mail.*.text":    {"confirmada", "invalidada"},
	"reconcile.*": {"missing_here", "missing_there", "newer_there", "older_there", "different_there", "merged",
		"back_to_draft", "remessa_applied", "remessa_learnt", "remessa_lost", "remessa_withdrawn"},
	"account.consent.*":         {"foto_1"},
	"web.account.field.*":       {"nome", "nome_social", "email", "telefone"},
	"web.account.how.*":         {"certificado", "empresas"},
	"web.account.level.*":       {"bronze", "prata", "ouro"},
	"web.account.level.*.text":  {"bronze", "prata", "ouro"},
	"web.account.none.*":        {"nome", "nome_social", "email", "telefone"},
	"web.account.role.*":        {"socio", "contador", "representante_legal", "nao_atuante", "colaborador"},
	"web.account.role.untold.*": {"certificado", "empresas"},
	"web.consent.*":             {"foto"},
	"web.privacy.event.*": {"account.created", "account.updated", "account.level_changed", "account.signed_in", "account.signed_out",
		"account.session_revoked", "account.session_replaced", "account.consent_given", "account.consent_withdrawn", "account.photo_kept",
		"account.corrected", "account.exported", "account.looked_at"},
	"web.selo.*": {"101", "201", "301", "401", "501", "502", "503", "504", "601", "602", "603", "604", "605", "606", "607", "608", "609", "610",
		"618", "624", "625", "626", "627", "628", "629", "630", "701", "702", "801", "901"},
	"web.signin.reason.*":      {"sessao", "recusada", "vencida", "indisponivel", "falhou", "nivel"},
	"web.signin.reason.*.next": {"sessao", "recusada", "vencida", "indisponivel", "falhou", "nivel"},
	"web.apidoc.in.*":          {"path", "query", "header"},
	"web.dictionary.base.*": {
		"id", "uuid", "organismo", "cnpj", "dados", "dados_ficha", "dados_passado", "pronto", "marca", "modelo", "importado", "designacao",
		"familia", "descricao", "gtins", "chave", "produto", "numero_gtin", "numero", "compacto", "situacao", "situacao_vinculo",
		"expirado", "emissao", "validade", "tipo", "tipo_evento", "classe", "motivo", "solicitante", "produtos", "facetas", "certificado",
		"seq", "empresa", "papel", "entrada", "modalidade", "lote", "quantidade", "serie", "licenca", "aceita", "revisoes", "primeira",
		"ultima", "valor_meta", "chave_meta", "id_evento", "id_ficha",
	},
	"web.dictionary.column.*": {
		"organismo", "organismo_nome", "numero", "situacao", "tipo", "tipo_nome", "classe", "classe_nome", "modelo_certificacao",
		"data_emissao", "data_validade", "documentos", "empresas", "servicos", "empresa_cnpj", "empresa_nome", "marca", "modelo",
		"importado", "designacao_comercial", "familia", "descricao", "codigos_gtin", "modalidade", "lote", "quantidade", "numero_serie",
		"licenca_importacao", "data_entrada", "endereco",
	},
	"web.dictionary.table.*": {
		"meta", "empresa", "produto", "gtin", "certificado", "ficha", "participante", "vinculo", "passado", "desde", "evento", "cobertura",
	},
}

// BuiltPatterns lists the patterns that [Built] knows, sorted.
func BuiltPatterns() []string {
	var list []string
	for pattern := range built {
		list = append(list, pattern)
	}
	slices.Sort(list)
	return list
}

// Built returns the keys that stand behind a pattern; none when it is not listed.
func Built(pattern string) []string {
	before, after, _ := strings.Cut(pattern, "*")
	var list []string
	for _, middle := range built[pattern] {
		list = append(list, before+middle+after)
	}
	return list
}
