import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.yarn.api.records.ApplicationId;
import org.apache.hadoop.yarn.client.api.YarnClient;
import org.apache.hadoop.yarn.conf.YarnConfiguration;

/** Asks a ResourceManager for an application's report, over and over: ReportRunner APPLICATION CALLERS WARM_MS MEASURED_MS; prints calls a second. */
public final class ReportRunner {
    private ReportRunner() {
    }

    public static void main(String[] arguments) throws Exception {
        ApplicationId id = ApplicationId.fromString(arguments[0]);
        int callers = Integer.parseInt(arguments[1]);
        long begin = System.nanoTime() + Long.parseLong(arguments[2]) * 1_000_000;
        long end = begin + Long.parseLong(arguments[3]) * 1_000_000;
        try (YarnClient client = YarnClient.createYarnClient()) {
            client.init(new YarnConfiguration());
            client.start();
            ExecutorService pool = Executors.newFixedThreadPool(callers);
            List<Future<Long>> all = new ArrayList<>();
            for (int i = 0; i < callers; i++) {
                all.add(pool.submit(() -> {
                    long made = 0;
                    while (true) {
                        client.getApplicationReport(id);
                        long now = System.nanoTime();
                        if (now >= end) {
                            return made;
                        }
                        if (now >= begin) {
                            made++;
                        }
                    }
                }));
            }
            long made = 0;
            for (Future<Long> one : all) {
                made += one.get();
            }
            pool.shutdown();
            System.out.println(made * 1_000_000_000L / (end - begin));
        }
    }
}
