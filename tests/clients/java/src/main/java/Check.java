import java.util.Objects;

/** One thing that a client must be able to do; it throws if it cannot. */
@FunctionalInterface
interface Check {
    void run() throws Exception;

    /** Fails unless the two are equal. */
    static void same(Object found, Object wanted) {
        if (!Objects.equals(found, wanted)) {
            throw new AssertionError("found " + found + ", wanted " + wanted);
        }
    }

    /** The exception of this kind that the code must end with. */
    static <E extends Throwable> E refused(Class<E> kind, Check code) throws Exception {
        try {
            code.run();
        } catch (Throwable thrown) {
            if (kind.isInstance(thrown)) {
                return kind.cast(thrown);
            }
            throw thrown;
        }
        throw new AssertionError("not refused");
    }
}
