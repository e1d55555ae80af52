/* Ids: object ids as 128-bit numbers, read from Python's strings and from the body of getPresencesByUserId.
 *
 * Rule: the body is {"ids": ["...", ...]}, and ids count in any letter case (its page; Graph's ids are GUIDs).
 */

#ifndef PRESENCED_IDS_H
#define PRESENCED_IDS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>

#define GUID_LENGTH 36

typedef struct {
    uint64_t high, low;
} Key;

#define NO_DIGIT 0x10 /* beside the four bits of a digit */
#define CAPITAL 0x20

static uint8_t digits[256];

static void
prepare_digits(void)
{
    memset(digits, NO_DIGIT, sizeof digits);
    for (int digit = 0; digit < 10; digit++) {
        digits['0' + digit] = (uint8_t)digit;
    }
    for (int digit = 10; digit < 16; digit++) {
        digits['a' + digit - 10] = (uint8_t)digit;
        digits['A' + digit - 10] = (uint8_t)(digit | CAPITAL);
    }
}

static inline uint64_t
read_digits(const unsigned char *text, int count, unsigned *seen)
{
    uint64_t number = 0;
    for (int at = 0; at < count; at++) {
        unsigned digit = digits[text[at]];
        *seen |= digit;
        number = number << 4 | (digit & 15);
    }
    return number;
}

/* Read the GUID that GUID_LENGTH bytes hold. Capitals are taken where they may be. Returns whether there was one. */
static inline int
read_guid(const unsigned char *text, int capitals, Key *key)
{
    unsigned seen = 0;
    uint64_t high = read_digits(text, 8, &seen);
    high = high << 16 | read_digits(text + 9, 4, &seen);
    high = high << 16 | read_digits(text + 14, 4, &seen);
    uint64_t low = read_digits(text + 19, 4, &seen);
    low = low << 48 | read_digits(text + 24, 12, &seen);
    if (seen & (capitals ? NO_DIGIT : NO_DIGIT | CAPITAL)) {
        return 0;
    }
    if (text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-') {
        return 0;
    }
    key->high = high;
    key->low = low;
    return 1;
}

/* The key of a Python string; 0 if it is no GUID in lower case, -1 with an exception if it is no string. */
static int
key_of(PyObject *person, Key *key)
{
    if (!PyUnicode_Check(person)) {
        PyErr_Format(PyExc_TypeError, "a person's id must be str, not %.100s", Py_TYPE(person)->tp_name);
        return -1;
    }
    if (!PyUnicode_IS_COMPACT_ASCII(person) || PyUnicode_GET_LENGTH(person) != GUID_LENGTH) {
        return 0;
    }
    return read_guid((const unsigned char *)PyUnicode_1BYTE_DATA(person), 0, key);
}

typedef struct {
    const unsigned char *at, *end;
} Reader;

static inline void
skip_space(Reader *json)
{
    while (json->at < json->end && (*json->at == ' ' || *json->at == '\n' || *json->at == '\r' || *json->at == '\t')) {
        json->at++;
    }
}

/* Skip white space and this one character. Returns whether it was there. */
static inline int
skip(Reader *json, unsigned char wanted)
{
    skip_space(json);
    if (json->at == json->end || *json->at != wanted) {
        return 0;
    }
    json->at++;
    return 1;
}

/* Read {"ids":["...", ...]} into ``keys``. Returns how many there are, 0 if it is anything else or there are more. */
static size_t
read_ids(Reader *json, size_t most, char *keys)
{
    static const char name[] = "\"ids\"";
    if (!skip(json, '{')) {
        return 0;
    }
    skip_space(json);
    if (json->end - json->at < (Py_ssize_t)sizeof name - 1 || memcmp(json->at, name, sizeof name - 1) != 0) {
        return 0;
    }
    json->at += sizeof name - 1;
    if (!skip(json, ':') || !skip(json, '[')) {
        return 0;
    }
    size_t count = 0;
    do {
        Key key;
        skip_space(json);
        if (count == most || json->end - json->at < GUID_LENGTH + 2 || json->at[0] != '"' ||
            json->at[GUID_LENGTH + 1] != '"' || !read_guid(json->at + 1, 1, &key)) {
            return 0;
        }
        memcpy(keys + count++ * sizeof(Key), &key, sizeof(Key));
        json->at += GUID_LENGTH + 2;
    } while (skip(json, ','));
    if (!skip(json, ']') || !skip(json, '}')) {
        return 0;
    }
    skip_space(json);
    return json->at == json->end ? count : 0;
}

#endif
