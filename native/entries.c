/* The quick way of a bulk read: what entries.py says, compiled.
 *
 * Rule: getPresencesByUserId answers with the entries of up to 650 persons, in the order of their ids (its page).
 * With Python's own objects each id costs a string, its hash, a place in a set to find that none is there twice, and
 * three or four waits for memory in a dictionary. Here ids are 128-bit numbers in one table that fits into the cache,
 * which is asked ahead for what comes next (docs/architecture.md has the figures).
 *
 * Nothing here decides: where a request or a person is out of the ordinary, the answer is None, and the same is done
 * the long way in Python.
 */

#include "table.h"

#if defined(__GNUC__) || defined(__clang__)
#define PREFETCH(address) __builtin_prefetch(address)
#else
#define PREFETCH(address) ((void)(address))
#endif

#define LINE 64        /* bytes of memory that come together */
#define AHEAD 6        /* entries that are fetched before it is their turn to be copied */
#define MOST_IDS 65536 /* of one request, whatever the caller allows */

/* --- a mapping ------------------------------------------------------------------------------------------------------- */

static PyObject *
entries_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    if (PyTuple_GET_SIZE(args) || (kwargs != NULL && PyDict_GET_SIZE(kwargs))) {
        PyErr_SetString(PyExc_TypeError, "Entries() takes no arguments");
        return NULL;
    }
    Entries *self = (Entries *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->mask = SMALLEST - 1;
    self->slots = PyMem_Calloc(SMALLEST, sizeof(Slot));
    self->others = PyDict_New();
    if (self->slots == NULL || self->others == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_NoMemory();
        }
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static void
entries_dealloc(Entries *self)
{
    PyTypeObject *type = Py_TYPE(self);
    if (self->slots != NULL) {
        for (size_t at = 0; at <= self->mask; at++) {
            Py_XDECREF(self->slots[at].entry);
        }
        PyMem_Free(self->slots);
    }
    Py_XDECREF(self->others);
    type->tp_free(self);
    Py_DECREF(type);
}

static Py_ssize_t
entries_length(Entries *self)
{
    return (Py_ssize_t)self->used + PyDict_GET_SIZE(self->others);
}

/* A new reference; NULL without an exception if there is none. */
static PyObject *
look_up(Entries *self, PyObject *person)
{
    Key key;
    int is_guid = key_of(person, &key);
    if (is_guid < 0) {
        return NULL;
    }
    PyObject *entry = is_guid ? find(self, key)->entry : PyDict_GetItemWithError(self->others, person);
    return Py_XNewRef(entry);
}

static PyObject *
entries_subscript(Entries *self, PyObject *person)
{
    PyObject *entry = look_up(self, person);
    if (entry == NULL && !PyErr_Occurred()) {
        PyErr_SetObject(PyExc_KeyError, person);
    }
    return entry;
}

static int
entries_contains(Entries *self, PyObject *person)
{
    PyObject *entry = look_up(self, person);
    if (entry == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    Py_DECREF(entry);
    return 1;
}

/* A new reference to the entry, which is taken out; NULL without an exception if there is none. */
static PyObject *
remove_entry(Entries *self, PyObject *person)
{
    Key key;
    int is_guid = key_of(person, &key);
    if (is_guid < 0) {
        return NULL;
    }
    if (is_guid) {
        Slot *slot = find(self, key);
        return slot->entry == NULL ? NULL : take_out(self, slot);
    }
    PyObject *entry = Py_XNewRef(PyDict_GetItemWithError(self->others, person));
    if (entry != NULL && PyDict_DelItem(self->others, person) < 0) {
        Py_CLEAR(entry);
    }
    return entry;
}

static int
entries_ass_subscript(Entries *self, PyObject *person, PyObject *entry)
{
    if (entry == NULL) {
        PyObject *removed = remove_entry(self, person);
        if (removed == NULL) {
            if (!PyErr_Occurred()) {
                PyErr_SetObject(PyExc_KeyError, person);
            }
            return -1;
        }
        Py_DECREF(removed);
        return 0;
    }
    if (!PyBytes_CheckExact(entry)) {
        PyErr_Format(PyExc_TypeError, "an entry must be bytes, not %.100s", Py_TYPE(entry)->tp_name);
        return -1;
    }
    Key key;
    int is_guid = key_of(person, &key);
    if (is_guid < 0) {
        return -1;
    }
    return is_guid ? put(self, key, entry) : PyDict_SetItem(self->others, person, entry);
}

static PyObject *
entries_get(Entries *self, PyObject *person)
{
    PyObject *entry = look_up(self, person);
    if (entry == NULL && !PyErr_Occurred()) {
        Py_RETURN_NONE;
    }
    return entry;
}

static PyObject *
entries_pop(Entries *self, PyObject *const *args, Py_ssize_t count)
{
    if (count != 2) {
        PyErr_SetString(PyExc_TypeError, "pop() takes an id and what to return if it is not there");
        return NULL;
    }
    PyObject *entry = remove_entry(self, args[0]);
    if (entry == NULL && !PyErr_Occurred()) {
        return Py_NewRef(args[1]);
    }
    return entry;
}

/* --- many at once ---------------------------------------------------------------------------------------------------- */

static inline Key
key_at(const char *ids, size_t number)
{
    Key key;
    memcpy(&key, ids + number * sizeof(Key), sizeof(Key));
    return key;
}

/* Find the slots of all ids. Returns 0 if one is not there, there twice, or ``own``; adds the sizes to ``size``. */
static int
find_all(Entries *self, const char *ids, size_t count, const Key *own, Slot **found, size_t *size)
{
    for (size_t number = 0; number < count; number++) {
        found[number] = self->slots + (place(key_at(ids, number)) & self->mask);
        PREFETCH(found[number]);
    }
    if (++self->asked == 0) { /* four thousand million requests later */
        for (size_t at = 0; at <= self->mask; at++) {
            self->slots[at].asked = 0;
        }
        self->asked = 1;
    }
    const Slot *last = self->slots + self->mask;
    for (size_t number = 0; number < count; number++) {
        Key key = key_at(ids, number);
        Slot *slot = found[number];
        while (slot->entry != NULL && !is_key(slot, key)) {
            slot = slot == last ? self->slots : slot + 1;
        }
        if (slot->entry == NULL || slot->asked == self->asked || (own != NULL && is_key(slot, *own))) {
            return 0;
        }
        slot->asked = self->asked;
        *size += slot->size;
        found[number] = slot;
    }
    return 1;
}

static PyObject *
entries_join(Entries *self, PyObject *const *args, Py_ssize_t args_count)
{
    if (args_count != 3 || !PyBytes_Check(args[0]) || !PyBytes_Check(args[1]) ||
        PyBytes_GET_SIZE(args[0]) % (Py_ssize_t)sizeof(Key) || !PyBytes_GET_SIZE(args[0])) {
        PyErr_SetString(PyExc_TypeError, "join() takes ids as pack() gives them, the start as bytes, and an id or None");
        return NULL;
    }
    static const char end[] = "]}";
    const char *ids = PyBytes_AS_STRING(args[0]);
    size_t count = (size_t)PyBytes_GET_SIZE(args[0]) / sizeof(Key);
    Key own;
    int has_own = args[2] == Py_None ? 0 : key_of(args[2], &own);
    if (has_own < 0) {
        return NULL;
    }
    Slot **found = PyMem_Malloc(count * sizeof(Slot *));
    if (found == NULL) {
        return PyErr_NoMemory();
    }
    PyObject *text = NULL;
    size_t size = (size_t)PyBytes_GET_SIZE(args[1]) + (count - 1) + (sizeof end - 1);
    if (!find_all(self, ids, count, has_own ? &own : NULL, found, &size)) {
        text = Py_NewRef(Py_None);
        goto done;
    }
    text = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)size);
    if (text == NULL) {
        goto done;
    }
    char *to = PyBytes_AS_STRING(text);
    memcpy(to, PyBytes_AS_STRING(args[1]), (size_t)PyBytes_GET_SIZE(args[1]));
    to += PyBytes_GET_SIZE(args[1]);
    for (size_t number = 0; number < count; number++) {
        if (number + AHEAD < count) {
            const Slot *ahead = found[number + AHEAD];
            for (uint32_t at = 0; at < ahead->size; at += LINE) {
                PREFETCH(PyBytes_AS_STRING(ahead->entry) + at);
            }
        }
        if (number > 0) {
            *to++ = ',';
        }
        memcpy(to, PyBytes_AS_STRING(found[number]->entry), found[number]->size);
        to += found[number]->size;
    }
    memcpy(to, end, sizeof end - 1);
done:
    PyMem_Free(found);
    return text;
}

static PyObject *
pack(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t args_count)
{
    if (args_count != 2 || !PyBytes_Check(args[0]) || !PyLong_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "pack() takes a body as bytes and the most ids there may be");
        return NULL;
    }
    long most = PyLong_AsLong(args[1]);
    if (most < 0 || most > MOST_IDS) {
        if (!PyErr_Occurred()) {
            PyErr_Format(PyExc_ValueError, "the most ids there may be must be 0 to %d", MOST_IDS);
        }
        return NULL;
    }
    const unsigned char *body = (const unsigned char *)PyBytes_AS_STRING(args[0]);
    Reader json = {body, body + PyBytes_GET_SIZE(args[0])};
    Py_ssize_t room = PyBytes_GET_SIZE(args[0]) / (GUID_LENGTH + 2);
    if (room > most) {
        room = most;
    }
    PyObject *ids = PyBytes_FromStringAndSize(NULL, room * (Py_ssize_t)sizeof(Key));
    if (ids == NULL) {
        return NULL;
    }
    size_t count = read_ids(&json, (size_t)room, PyBytes_AS_STRING(ids));
    if (count == 0) {
        Py_DECREF(ids);
        Py_RETURN_NONE;
    }
    if (count < (size_t)room) {
        _PyBytes_Resize(&ids, (Py_ssize_t)(count * sizeof(Key)));
    }
    return ids;
}

/* --- the module ------------------------------------------------------------------------------------------------------ */

static PyMethodDef entries_methods[] = {
    {"get", (PyCFunction)entries_get, METH_O, "The entry of a person, or None."},
    {"pop", (PyCFunction)(void (*)(void))entries_pop, METH_FASTCALL, "Take an entry out; a default if there is none."},
    {"join", (PyCFunction)(void (*)(void))entries_join, METH_FASTCALL, "The entries of many, as entries.py says."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot entries_slots[] = {
    {Py_tp_doc, "Of one tenant: persons' entries by their ids."},
    {Py_tp_new, entries_new},
    {Py_tp_dealloc, entries_dealloc},
    {Py_tp_methods, entries_methods},
    {Py_mp_length, entries_length},
    {Py_mp_subscript, entries_subscript},
    {Py_mp_ass_subscript, entries_ass_subscript},
    {Py_sq_contains, entries_contains},
    {0, NULL},
};

static PyType_Spec entries_spec = {
    .name = "presenced._entries.Entries",
    .basicsize = sizeof(Entries),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = entries_slots,
};

static int
prepare(PyObject *module)
{
    prepare_digits();
    for (int number = 0; number < 2; number++) {
        PyObject *name = PyUnicode_FromFormat("presenced._entries %d", number);
        Py_hash_t hash = name == NULL ? -1 : PyObject_Hash(name); /* with the secret of this process */
        Py_XDECREF(name);
        if (hash == -1) {
            return -1;
        }
        secrets[number] = (uint64_t)hash;
    }
    PyObject *type = PyType_FromModuleAndSpec(module, &entries_spec, NULL);
    if (type == NULL) {
        return -1;
    }
    int failed = PyModule_AddType(module, (PyTypeObject *)type);
    Py_DECREF(type);
    return failed;
}

static PyMethodDef functions[] = {
    {"pack", (PyCFunction)(void (*)(void))pack, METH_FASTCALL, "The ids of a body, as entries.py says."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, prepare},
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "presenced._entries",
    .m_doc = "The quick way of a bulk read.",
    .m_methods = functions,
    .m_slots = slots,
};

PyMODINIT_FUNC
PyInit__entries(void)
{
    return PyModuleDef_Init(&definition);
}
