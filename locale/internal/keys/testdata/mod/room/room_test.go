package room

import "mod/fault"

var _ = fault.New("invalid", "room.only_in_test")
