#!/usr/bin/env python3
"""Runs a program under a seccomp profile in Docker's format, without a container: under-seccomp.py PROFILE PROGRAM...

To try a change of seccomp.json where no container engine is at hand. Needs libseccomp 2.4 or later.
"""
import ctypes
import json
import os
import sys

ALLOW, ERRNO = 0x7FFF0000, 0x00050000
COMPARE = {"SCMP_CMP_EQ": 4, "SCMP_CMP_MASKED_EQ": 7}


class Comparison(ctypes.Structure):
    _fields_ = [("index", ctypes.c_uint), ("op", ctypes.c_int), ("value", ctypes.c_uint64), ("two", ctypes.c_uint64)]


def action(rule, default):
    if rule["action"] == "SCMP_ACT_ALLOW":
        return ALLOW
    assert rule["action"] == "SCMP_ACT_ERRNO", rule
    return ERRNO | rule.get("errnoRet", default)


def main():
    profile = json.load(open(sys.argv[1]))
    lib = ctypes.CDLL("libseccomp.so.2", use_errno=True)
    lib.seccomp_init.restype = ctypes.c_void_p
    assert profile["defaultAction"] == "SCMP_ACT_ERRNO"
    refused = profile.get("defaultErrnoRet", 1)
    context = ctypes.c_void_p(lib.seccomp_init(ERRNO | refused))
    for rule in profile["syscalls"]:
        compared = [Comparison(a["index"], COMPARE[a["op"]], a["value"], a.get("valueTwo", 0)) for a in rule.get("args", [])]
        array = (Comparison * len(compared))(*compared)
        for name in rule["names"]:
            number = lib.seccomp_syscall_resolve_name(name.encode())
            if number == -1:
                sys.exit(f"libseccomp does not know {name}")
            done = lib.seccomp_rule_add_array(context, action(rule, refused), number, len(compared), array)
            # Calls that another architecture has are numbers below 0: they are left out here, as a runtime does.
            if done != 0 and number >= 0:
                sys.exit(f"{name}: {os.strerror(-done)}")
    done = lib.seccomp_load(context)
    if done != 0:
        sys.exit(f"seccomp_load: {os.strerror(-done)}")
    os.execvp(sys.argv[2], sys.argv[2:])


main()
