package org.apache.kafka.common.utils;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.errors.RecordTooLargeException;

/**
 * Takes the place of Kafka's class of this name, through which the broker reads every batch that a producer compressed, in whatever
 * codec. It does the same, buffering, and follows the records: each is its length, then so many bytes. A batch that is longer than the
 * bounds, or a record that says so, ends with the error that a batch above max.message.bytes ends with, before anybody makes room
 * for it. Kafka's own producer then splits the batch.
 */
public class ChunkedBytesStream extends FilterInputStream {
    /** Bytes of one batch when it is unpacked. */
    static final long MOST_BYTES = Long.getLong("countersign.batch.bytes", 8_388_608L);
    /** Records of one batch. */
    static final int MOST_RECORDS = Integer.getInteger("countersign.batch.records", 20_000);

    private final BufferSupplier supplier;
    private final ByteBuffer lent;
    private byte[] buffer;
    private int at;
    private int end;

    /** Bytes of records so far, with those that the current record has announced. */
    private long bytes;
    private int records;
    /** What is to come of the current record. */
    private long left;
    /** The length that is being read. */
    private int length;
    private int shift;

    public ChunkedBytesStream(InputStream in, BufferSupplier supplier, int size, boolean skipAtSource) {
        super(in);
        this.supplier = supplier;
        this.lent = supplier.get(size);
        if (!lent.hasArray() || lent.array().length != size)
            throw new IllegalStateException("the supplied buffer is not of " + size + " bytes");
        this.buffer = lent.array();
    }

    private boolean filled() throws IOException {
        if (buffer == null) throw new IOException("Stream closed");
        if (at < end) return true;
        at = 0;
        int got = in.read(buffer, 0, buffer.length);
        end = Math.max(0, got);
        return got > 0;
    }

    @Override
    public int read() throws IOException {
        if (!filled()) return -1;
        follow(at, 1);
        return buffer[at++] & 0xff;
    }

    @Override
    public int read(byte[] to, int offset, int count) throws IOException {
        if (count == 0) return 0;
        int done = 0;
        while (done < count && filled()) {
            int piece = Math.min(count - done, end - at);
            follow(at, piece);
            System.arraycopy(buffer, at, to, offset + done, piece);
            at += piece;
            done += piece;
        }
        return done == 0 ? -1 : done;
    }

    @Override
    public long skip(long count) throws IOException {
        long done = 0;
        while (done < count && filled()) {
            int piece = (int) Math.min(count - done, end - at);
            follow(at, piece);
            at += piece;
            done += piece;
        }
        return done;
    }

    /** Follows the records over what is about to be handed out. */
    private void follow(int from, int count) {
        for (int i = from; i < from + count; ) {
            if (left > 0) {
                int piece = (int) Math.min(left, from + count - i);
                left -= piece;
                i += piece;
                continue;
            }
            byte b = buffer[i++];
            if (shift > 28) throw new InvalidRecordException("a record's length is no number");
            length |= (b & 0x7f) << shift;
            shift += 7;
            if ((b & 0x80) != 0) continue;
            left = (length >>> 1) ^ -(length & 1);
            length = 0;
            shift = 0;
            if (left < 0) throw new InvalidRecordException("a record's length is negative");
            bytes += left;
            if (bytes > MOST_BYTES)
                throw new RecordTooLargeException("a compressed batch unpacks to more than " + MOST_BYTES + " bytes");
            if (++records > MOST_RECORDS)
                throw new RecordTooLargeException("a compressed batch holds more than " + MOST_RECORDS + " records");
        }
    }

    @Override
    public int available() throws IOException {
        if (buffer == null) throw new IOException("Stream closed");
        return end - at + in.available();
    }

    @Override
    public boolean markSupported() {
        return false;
    }

    @Override
    public void close() throws IOException {
        if (buffer == null) return;
        buffer = null;
        supplier.release(lent);
        in.close();
    }

    /** The codec's own stream. */
    public InputStream sourceStream() {
        return in;
    }
}
