package api

import (
	"reflect"

	"selo/catalog"
	"selo/fault"
	"selo/ledger"
	"selo/locale"
	"selo/remessa"

	"github.com/danielgtaylor/huma/v2"
)

// schemaNames are the names of the document's schemas: Portuguese, like all
// that the API's users read.
var schemaNames = map[reflect.Type]string{
	reflect.TypeFor[Problem]():              "Problema",
	reflect.TypeFor[locale.Rendered]():      "Erro",
	reflect.TypeFor[fault.Problem]():        "Motivo",
	reflect.TypeFor[Certificate]():          "Certificado",
	reflect.TypeFor[catalog.Hits]():         "PaginaDeCertificados",
	reflect.TypeFor[catalog.Hit]():          "CertificadoNaLista",
	reflect.TypeFor[Verification]():         "Verificacao",
	reflect.TypeFor[Verified]():             "CertificadoVerificado",
	reflect.TypeFor[Reason]():               "MotivoDaVerificacao",
	reflect.TypeFor[catalog.Named]():        "CodigoENome",
	reflect.TypeFor[catalog.BodyView]():     "Organismo",
	reflect.TypeFor[catalog.PartyView]():    "EmpresaEnvolvida",
	reflect.TypeFor[catalog.DocumentView](): "DocumentoNormativo",
	reflect.TypeFor[catalog.ServiceView]():  "Servico",
	reflect.TypeFor[catalog.ProductView]():  "Produto",
	reflect.TypeFor[catalog.CompanyName]():  "EmpresaDoProduto",
	reflect.TypeFor[catalog.RevisionView](): "Revisao",
	reflect.TypeFor[Proof]():                "Prova",
	reflect.TypeFor[ledger.Consistency]():   "ProvaDeConsistencia",
	reflect.TypeFor[RegistryInfo]():         "Registro",
	reflect.TypeFor[PublicationInfo]():      "Publicacao",
	reflect.TypeFor[RegistryKeys]():         "Chaves",
	reflect.TypeFor[Delivery]():             "Remessa",
	reflect.TypeFor[remessa.Counts]():       "Contagens",
	reflect.TypeFor[remessa.Result]():       "Resultado",
	reflect.TypeFor[Release]():              "TabelasAuxiliares",
	reflect.TypeFor[Health]():               "Estado",
	reflect.TypeFor[Ready]():                "Prontidao",
	reflect.TypeFor[Following]():            "Copia",
	reflect.TypeFor[Publications]():         "Publicacoes",
	reflect.TypeFor[PublishedHere]():        "PublicacaoComArquivo",
	reflect.TypeFor[SnapshotFile]():         "ArquivoDaPublicacao",
	reflect.TypeFor[DataDigests]():          "Resumos",
	reflect.TypeFor[catalog.FileDigest]():   "ResumoDoArquivo",
	reflect.TypeFor[catalog.Seal]():         "Selo",
	reflect.TypeFor[catalog.Publication]():  "PublicacaoDoSelo",
}

// schemaName names a schema; of what has no name here, as its type is called.
func schemaName(t reflect.Type, hint string) string {
	base := t
	for base.Kind() == reflect.Pointer {
		base = base.Elem()
	}
	if name, ok := schemaNames[base]; ok {
		return name
	}
	return huma.DefaultSchemaNamer(t, hint)
}
