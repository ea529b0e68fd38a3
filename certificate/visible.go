package certificate

import "selo/brasil"

// Why a certificate is not among the valid ones (manual 1.2, FAQ 3.22), as message keys.
const (
	HiddenClass     = "certificate.hidden.class"     // its class is off the Web
	HiddenCancelled = "certificate.hidden.cancelled" // the body cancelled it
	HiddenSuspended = "certificate.hidden.suspended" // the body suspended it
	HiddenExpired   = "certificate.hidden.expired"   // its validity is over
)

// Expired tells whether the validity ended before today; the last day still
// counts. A certificate without a validity date never expires (lots, FAQ 3.11).
func (c *Certificate) Expired(today brasil.Date) bool {
	return !c.ValidUntil.IsZero() && c.ValidUntil.Before(today)
}

// Visible tells whether the public search shows the certificate without being
// asked for another situation, and if not, the key of the reason. The class
// weighs most: without one, or with a disabled one, nothing of the certificate
// is shown; suspended, cancelled and expired ones are found by choosing that
// situation (manual 1.2, 2.2.1.3). A service whose own class is disabled is
// hidden one by one: see [ServiceClass.Disabled].
func Visible(c *Certificate, class *Class, today brasil.Date) (bool, string) {
	switch {
	case class == nil || class.Disabled != "":
		return false, HiddenClass
	case c.Situation == Cancelled:
		return false, HiddenCancelled
	case c.Situation == Suspended:
		return false, HiddenSuspended
	case c.Expired(today):
		return false, HiddenExpired
	}
	return true, ""
}

// IsLot tells whether the certificate stands for lots only: of model 1b or with
// products, none of which is by type or by unit. It may go without a validity date; the date of ten years or
// more that the old program needed stays allowed (manual 2.2.1.1 step 3.3, FAQ 3.11).
func (c *Certificate) IsLot() bool {
	for i := range c.Products {
		if m := c.Products[i].Modality; m == ByType || m == ByUnit {
			return false
		}
	}
	return c.Model == ModelLot || len(c.Products) > 0
}
