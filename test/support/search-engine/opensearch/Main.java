import java.util.concurrent.CountDownLatch;
import org.codelibs.opensearch.runner.OpenSearchRunner;

/**
 * One real OpenSearch node on loopback: Main HTTP_PORT TRANSPORT_PORT DATA_FOLDER WATCHED_PID.
 * Prints a line with "ready" (the engine puts its log prefix before it) when it answers; ends with the watched process, so that no test run leaves one behind.
 */
public class Main {
    public static void main(String[] args) throws Exception {
        int httpPort = Integer.parseInt(args[0]);
        OpenSearchRunner runner = new OpenSearchRunner();
        runner.setMaxHttpPort(65535);
        runner.onBuild((number, settings) -> {
            settings.put("network.host", "127.0.0.1");
            settings.put("http.port", args[0]);
            settings.put("transport.port", args[1]);
            settings.put("discovery.type", "single-node");
            settings.putList("node.roles", "cluster_manager", "data", "ingest");
            settings.put("cluster.routing.allocation.disk.threshold_enabled", false);
        });
        CountDownLatch stop = new CountDownLatch(1);
        ProcessHandle watched = ProcessHandle.of(Long.parseLong(args[3])).orElse(null);
        if (watched == null) return;
        watched.onExit().thenRun(() -> Runtime.getRuntime().halt(0));
        runner.build(OpenSearchRunner.newConfigs().basePath(args[2]).clusterName("test-opensearch").numOfNode(1).baseHttpPort(httpPort - 1).useLogger());
        runner.ensureYellow();
        System.out.println("ready opensearch http://127.0.0.1:" + httpPort);
        stop.await();
    }
}
