package job

// Beat renews the lease once, as the ticker would.
var Beat = (*Runner).beat

// ClaimOne claims as Run does.
var ClaimOne = (*Runner).claim
