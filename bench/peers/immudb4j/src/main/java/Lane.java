import io.codenotary.immudb4j.Entry;
import io.codenotary.immudb4j.ImmuClient;
import io.codenotary.immudb4j.KVPair;
import io.codenotary.immudb4j.TxHeader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** One caller: it waits for an answer before it asks again. */
final class Lane {
  private static final int VALUE_BYTES = 100;
  private static final int MANY_ENTRIES = 1000;

  private interface Call {
    void make() throws Exception;
  }

  private interface Get {
    Entry of(String key) throws Exception;
  }

  private final ImmuClient client;
  private final int index;
  private final int keys;
  private final String run;
  private final String operation;
  private final Call call;
  private int random;
  private int made;
  private long lastTx;

  Lane(Map<String, String> options, ImmuClient client, int index) {
    this.client = client;
    this.index = index;
    this.keys = Integer.parseInt(options.get("keys"));
    this.run = options.get("run");
    this.operation = options.get("operation");
    this.random = (int) Long.parseLong(options.get("seed")) + index * 7919;
    switch (operation) {
      case "get":
        call = () -> read(client::get);
        break;
      case "verifiedGet":
        call = () -> read(client::verifiedGet);
        break;
      case "set":
        call = () -> wrote(client.set(writtenKey(made, 0), valueOf(made)), 1);
        break;
      case "verifiedSet":
        call = () -> wrote(client.verifiedSet(writtenKey(made, 0), valueOf(made)), 1);
        break;
      case "setAll":
        call = this::setAll;
        break;
      default:
        throw new IllegalArgumentException("no operation " + operation);
    }
  }

  long until(long end) throws Exception {
    long calls = 0;
    for (; System.nanoTime() < end; calls++) call.make();
    return calls;
  }

  /** Requires the last entry written to be there. */
  void readBack() throws Exception {
    if (made == 0) return;
    Entry entry = client.get(writtenKey(made - 1, 0));
    if (!Arrays.equals(entry.getValue(), valueOf(made - 1)) || entry.getTx() != lastTx) {
      throw new IllegalStateException("read back another entry than that of tx " + lastTx);
    }
  }

  /** The order of reads that all peers share: a linear congruential generator. */
  private int next(int below) {
    random = random * 1664525 + 1013904223;
    return (random >>> 8) % below;
  }

  private void read(Get get) throws Exception {
    int i = next(keys);
    Entry entry = get.of(String.format("key/%05d", i));
    if (!Arrays.equals(entry.getValue(), valueOf(i))) {
      throw new IllegalStateException(operation + " of key " + i + ": read another value");
    }
  }

  private String writtenKey(int call, int entry) {
    return run + "/" + index + "/" + call + "/" + entry;
  }

  private static byte[] valueOf(int i) {
    byte[] value = new byte[VALUE_BYTES];
    Arrays.fill(value, (byte) '.');
    byte[] start = ("value " + i + " ").getBytes(StandardCharsets.UTF_8);
    System.arraycopy(start, 0, value, 0, start.length);
    return value;
  }

  private void setAll() {
    List<KVPair> pairs = new ArrayList<>(MANY_ENTRIES);
    byte[] value = valueOf(made);
    for (int i = 0; i < MANY_ENTRIES; i++) pairs.add(new KVPair(writtenKey(made, i), value));
    wrote(client.setAll(pairs), MANY_ENTRIES);
  }

  private void wrote(TxHeader header, int entries) {
    if (header.getId() <= lastTx || header.getNEntries() != entries) {
      throw new IllegalStateException(
          "tx " + header.getId() + " of " + header.getNEntries() + " entries after tx " + lastTx);
    }
    lastTx = header.getId();
    made++;
  }
}
