// The version of these headers.
#pragma once

#define BYWAY_VERSION_MAJOR 0
#define BYWAY_VERSION_MINOR 1
#define BYWAY_VERSION_PATCH 0
#define BYWAY_VERSION "0.1.0"
