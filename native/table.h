/* Table: entries by 128-bit keys, in one piece of memory: open addressing, a taken place sends on to the next. */

#ifndef PRESENCED_TABLE_H
#define PRESENCED_TABLE_H

#include "ids.h"

#define SMALLEST 8 /* slots, a power of two */

/* 32 bytes, so that two are in a line. A slot is free if it has no entry. */
typedef struct {
    Key key;
    PyObject *entry; /* bytes */
    uint32_t size;   /* of the entry, so that it need not be touched to add sizes up */
    uint32_t asked;  /* number of the last request that asked for it: twice in one is once too many */
} Slot;

typedef struct {
    PyObject_HEAD
    Slot *slots;
    size_t mask; /* the number of slots less one */
    size_t used;
    uint32_t asked;
    PyObject *others; /* dict of the entries whose key is no GUID in lower case */
} Entries;

static uint64_t secrets[2];

/* Mixed with numbers that nobody outside knows, as Python's own hashes are: whoever chooses ids cannot choose places. */
static inline size_t
place(Key key)
{
    uint64_t mixed = (key.high ^ secrets[0]) * 0x9e3779b97f4a7c15u;
    mixed = (mixed ^ mixed >> 32 ^ key.low ^ secrets[1]) * 0xd6e8feb86659fd93u;
    mixed = (mixed ^ mixed >> 32) * 0xd6e8feb86659fd93u;
    return (size_t)(mixed ^ mixed >> 32);
}

static inline int
is_key(const Slot *slot, Key key)
{
    return slot->key.high == key.high && slot->key.low == key.low;
}

/* The slot that has the key, or the free one where it belongs. There is always a free one. */
static Slot *
find(const Entries *self, Key key)
{
    size_t at = place(key) & self->mask;
    while (self->slots[at].entry != NULL && !is_key(&self->slots[at], key)) {
        at = (at + 1) & self->mask;
    }
    return &self->slots[at];
}

/* Returns -1 with an exception if there is no memory. */
static int
grow(Entries *self)
{
    Slot *old = self->slots;
    size_t count = self->mask + 1;
    Slot *slots = PyMem_Calloc(count * 2, sizeof(Slot));
    if (slots == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    self->slots = slots;
    self->mask = count * 2 - 1;
    for (size_t at = 0; at < count; at++) {
        if (old[at].entry != NULL) {
            *find(self, old[at].key) = old[at];
        }
    }
    PyMem_Free(old);
    return 0;
}

/* Keep an entry, which must be bytes. Returns -1 with an exception if there is no memory, or it is too large. */
static int
put(Entries *self, Key key, PyObject *entry)
{
    if ((uint64_t)PyBytes_GET_SIZE(entry) > UINT32_MAX) {
        PyErr_SetString(PyExc_OverflowError, "an entry is too large");
        return -1;
    }
    /* at most five of eight slots are taken: a look-up then nearly always ends in the line where it began */
    if ((self->used + 1) * 8 > (self->mask + 1) * 5 && grow(self) < 0) {
        return -1;
    }
    Slot *slot = find(self, key);
    PyObject *before = slot->entry;
    if (before == NULL) {
        slot->key = key;
        self->used++;
    }
    Py_INCREF(entry);
    slot->entry = entry;
    slot->size = (uint32_t)PyBytes_GET_SIZE(entry);
    Py_XDECREF(before);
    return 0;
}

/* Free a slot, and move up those behind it that would not be found beyond a free one. Returns its entry. */
static PyObject *
take_out(Entries *self, Slot *slot)
{
    PyObject *entry = slot->entry;
    size_t gap = (size_t)(slot - self->slots);
    for (size_t at = (gap + 1) & self->mask; self->slots[at].entry != NULL; at = (at + 1) & self->mask) {
        size_t home = place(self->slots[at].key) & self->mask;
        if (((at - home) & self->mask) >= ((at - gap) & self->mask)) {
            self->slots[gap] = self->slots[at];
            gap = at;
        }
    }
    self->slots[gap].entry = NULL;
    self->used--;
    return entry;
}

#endif
