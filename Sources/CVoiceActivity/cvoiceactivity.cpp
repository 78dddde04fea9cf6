#include "cvoiceactivity.h"
