// Everything of Byway that a program needs for calls and administration.
#pragma once

#include <byway/admin.hpp>
#include <byway/alias.hpp>
#include <byway/audit.hpp>
#include <byway/capability_record.hpp>
#include <byway/customer_key.hpp>
#include <byway/endpoint.hpp>
#include <byway/error.hpp>
#include <byway/metadata.hpp>
#include <byway/metadata_headers.hpp>
#include <byway/org.hpp>
#include <byway/pending.hpp>
#include <byway/policy.hpp>
#include <byway/request.hpp>
#include <byway/response.hpp>
#include <byway/result.hpp>
#include <byway/router.hpp>
#include <byway/secret.hpp>
#include <byway/stream.hpp>
#include <byway/vault.hpp>
#include <byway/version.hpp>
