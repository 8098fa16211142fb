import io.codenotary.immudb4j.ImmuClient;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Measures one operation of immudb4j on a running immudb server. Prints one JSON line when done: the calls made, and the
 * seconds they took. Whatever comes back wrong, or is refused, ends it with an error.
 */
public final class Peer {
  private final Map<String, String> options = new HashMap<>();

  public static void main(String[] args) {
    try {
      System.out.println(new Peer(args).measure());
      // Threads of the client would hold the process up.
      System.exit(0);
    } catch (ExecutionException e) {
      System.err.println(e.getCause());
    } catch (Exception e) {
      System.err.println(e);
    }
    System.exit(1);
  }

  private Peer(String[] args) {
    for (String arg : args) {
      String[] parts = arg.replaceFirst("^--", "").split("=", 2);
      options.put(parts[0], parts.length > 1 ? parts[1] : "");
    }
  }

  private String measure() throws Exception {
    int concurrency = Integer.parseInt(options.get("concurrency"));
    boolean ownClients = options.containsKey("own-clients");
    List<Lane> lanes = new ArrayList<>();
    ImmuClient shared = ownClients ? null : connect();
    for (int i = 0; i < concurrency; i++) {
      lanes.add(new Lane(options, ownClients ? connect() : shared, i));
    }
    ExecutorService pool = Executors.newFixedThreadPool(concurrency);
    during(pool, lanes, Double.parseDouble(options.get("warmup")));
    long start = System.nanoTime();
    long calls = during(pool, lanes, Double.parseDouble(options.get("seconds")));
    double took = (System.nanoTime() - start) / 1e9;
    for (Lane lane : lanes) lane.readBack();
    return String.format(
        java.util.Locale.ROOT,
        "{\"operation\":\"%s\",\"concurrency\":%d,\"calls\":%d,\"seconds\":%.6f}",
        options.get("operation"),
        concurrency,
        calls,
        took);
  }

  private ImmuClient connect() {
    String address = options.get("address");
    int colon = address.lastIndexOf(':');
    ImmuClient client =
        ImmuClient.newBuilder()
            .withServerUrl(address.substring(0, colon))
            .withServerPort(Integer.parseInt(address.substring(colon + 1)))
            .build();
    client.openSession(options.get("database"), options.get("user"), options.get("password"));
    return client;
  }

  /** Lets all lanes call for that long; the calls made until the last one ended. */
  private static long during(ExecutorService pool, List<Lane> lanes, double seconds) throws Exception {
    long until = System.nanoTime() + (long) (seconds * 1e9);
    List<Future<Long>> running = new ArrayList<>();
    for (Lane lane : lanes) running.add(pool.submit(() -> lane.until(until)));
    long calls = 0;
    for (Future<Long> lane : running) calls += lane.get();
    return calls;
  }
}
