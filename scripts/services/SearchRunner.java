import org.codelibs.opensearch.runner.OpenSearchRunner;

/** Runs one OpenSearch node: SearchRunner FOLDER SETTING=VALUE…, until it is told to end. The runner's own command line can't choose a port. */
public final class SearchRunner {
    private SearchRunner() {
    }

    public static void main(String[] arguments) throws Exception {
        OpenSearchRunner runner = new OpenSearchRunner();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try {
                runner.close();
            } catch (Exception failed) {
                System.err.println("not closed cleanly: " + failed);
            }
        }));
        runner.setMaxHttpPort(-1);
        runner.onBuild((number, settings) -> {
            for (int i = 1; i < arguments.length; i++) {
                int equals = arguments[i].indexOf('=');
                settings.put(arguments[i].substring(0, equals), arguments[i].substring(equals + 1));
            }
        });
        runner.build("-basePath", arguments[0], "-numOfNode", "1", "-clusterName", "maas");
        Thread.currentThread().join();
    }
}
