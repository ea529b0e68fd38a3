package catalog

import (
	"cmp"
	"slices"
	"strings"

	"selo/brasil"
	"selo/certificate"
)

// ClassView is a class of product of the auxiliary tables.
type ClassView struct {
	Code     certificate.ClassCode
	Name     string
	Service  bool   // the class of services (FAQ 3.9)
	Disabled string // why it is off the Web (FAQ 3.22 D); empty: shown
}

// Classes lists all classes of product, those off the Web too, by name.
func (c *Catalog) Classes() []ClassView {
	list := make([]ClassView, 0, len(c.names.classes))
	for code := range c.names.classes {
		view, _ := c.FindClass(string(code))
		list = append(list, view)
	}
	slices.SortFunc(list, func(a, b ClassView) int {
		return cmp.Or(strings.Compare(brasil.Fold(a.Name), brasil.Fold(b.Name)), strings.Compare(string(a.Code), string(b.Code)))
	})
	return list
}

// FindClass is the class of a code; not ok when there is none.
func (c *Catalog) FindClass(code string) (view ClassView, ok bool) {
	class, ok := c.names.classes[certificate.ClassCode(code)]
	return ClassView{class.Code, orCode(class.Name, code), class.Service, class.Disabled}, ok
}

// FindBody is the body of a sigla, in capitals or not; not ok when there is
// none, or several that differ in capitals only.
func (c *Catalog) FindBody(sigla string) (view BodyView, ok bool) {
	if name, ok := c.names.bodies[certificate.Sigla(sigla)]; ok {
		return BodyView{certificate.Sigla(sigla), orCode(name, sigla)}, true
	}
	found := 0
	for code := range c.names.bodies {
		if strings.EqualFold(string(code), sigla) {
			view, found = BodyView{code, c.names.body(code)}, found+1
		}
	}
	return view, found == 1
}

// ServiceClass is a class of service with the documents that may be entered in
// services of it, as [Catalog.DocumentsOf] has those of a class of product.
type ServiceClass struct {
	Named
	Disabled  string // why it is off the Web (FAQ 3.22 D); empty: shown
	Documents []InForce
}

// ServiceClasses lists the classes of service by name.
func (c *Catalog) ServiceClasses() []ServiceClass {
	var list []ServiceClass
	for code, class := range c.names.services {
		offered := func(o *certificate.Offer) bool { return o.ServiceClass == code && code != "" }
		list = append(list, ServiceClass{Named{string(code), c.names.service(code)}, class.Disabled, c.offers(offered)})
	}
	slices.SortFunc(list, func(a, b ServiceClass) int {
		return cmp.Or(strings.Compare(brasil.Fold(a.Name), brasil.Fold(b.Name)), strings.Compare(a.Code, b.Code))
	})
	return list
}
