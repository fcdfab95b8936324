package maas;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.queue.SimpleDistributedQueue;
import org.apache.curator.retry.ExponentialBackoffRetry;
import org.apache.curator.x.discovery.ServiceDiscovery;
import org.apache.curator.x.discovery.ServiceDiscoveryBuilder;
import org.apache.curator.x.discovery.ServiceInstance;
import org.apache.curator.x.discovery.ServiceType;
import org.apache.curator.x.discovery.details.JsonInstanceSerializer;
import org.apache.metron.maas.config.Endpoint;
import org.apache.metron.maas.config.ModelEndpoint;
import org.codehaus.jackson.map.ObjectMapper;

/**
 * A program of somebody else's that uses MaaS through Apache Curator, with the recipes that installed clients use.
 *
 * <pre>
 * CONNECT offer                         each line of standard input is offered to the queue as it is
 * CONNECT poll MS                       takes one message, or prints null
 * CONNECT services NAME                 what service discovery reads, a JSON document a line
 * CONNECT register NAME VERSION ID URL  registers a STATIC instance and leaves it there, says "registered"
 * </pre>
 */
public final class CuratorClient {
  private static final String QUEUE = "/maas/queue";
  private static final String SERVICES = "/maas/service";

  private CuratorClient() {}

  public static void main(String[] args) throws Exception {
    CuratorFramework client = CuratorFrameworkFactory.newClient(args[0], new ExponentialBackoffRetry(1000, 3));
    client.start();
    try {
      switch (args[1]) {
        case "offer" -> offer(client);
        case "poll" -> poll(client, Long.parseLong(args[2]));
        case "services" -> services(client, args[2]);
        case "register" -> register(client, args[2], args[3], args[4], args[5]);
        default -> throw new IllegalArgumentException("no verb " + args[1]);
      }
    } finally {
      client.close();
    }
  }

  private static void offer(CuratorFramework client) throws Exception {
    SimpleDistributedQueue queue = new SimpleDistributedQueue(client, QUEUE);
    BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = input.readLine(); line != null; line = input.readLine()) {
      System.out.println(queue.offer(line.getBytes(StandardCharsets.UTF_8)));
    }
  }

  private static void poll(CuratorFramework client, long ms) throws Exception {
    byte[] message = new SimpleDistributedQueue(client, QUEUE).poll(ms, TimeUnit.MILLISECONDS);
    System.out.println(message == null ? "null" : new String(message, StandardCharsets.UTF_8));
  }

  private static ServiceDiscovery<ModelEndpoint> discovery(CuratorFramework client) throws Exception {
    ServiceDiscovery<ModelEndpoint> discovery =
        ServiceDiscoveryBuilder.builder(ModelEndpoint.class)
            .client(client)
            .basePath(SERVICES)
            .serializer(new JsonInstanceSerializer<>(ModelEndpoint.class))
            .build();
    discovery.start();
    return discovery;
  }

  private static void services(CuratorFramework client, String name) throws Exception {
    ObjectMapper json = new ObjectMapper();
    for (ServiceInstance<ModelEndpoint> instance : discovery(client).queryForInstances(name)) {
      ModelEndpoint model = instance.getPayload();
      Map<String, Object> line = new TreeMap<>();
      line.put("id", instance.getId());
      line.put("address", instance.getAddress());
      line.put("port", instance.getPort());
      line.put("type", instance.getServiceType().toString());
      line.put("name", model.getName());
      line.put("version", model.getVersion());
      line.put("containerId", model.getContainerId());
      line.put("url", model.getEndpoint().getUrl());
      line.put("functions", model.getEndpoint().getFunctions());
      System.out.println(json.writeValueAsString(line));
    }
  }

  private static void register(CuratorFramework client, String name, String version, String id, String url)
      throws Exception {
    Endpoint endpoint = new Endpoint();
    endpoint.setUrl(url);
    ModelEndpoint model = new ModelEndpoint();
    model.setEndpoint(endpoint);
    model.setName(name);
    model.setVersion(version);
    model.setContainerId(id);
    java.net.URI where = java.net.URI.create(url);
    ServiceInstance<ModelEndpoint> instance =
        ServiceInstance.<ModelEndpoint>builder()
            .name(name)
            .id(id)
            .address(where.getHost())
            .port(where.getPort())
            .payload(model)
            .serviceType(ServiceType.STATIC)
            .build();
    discovery(client).registerService(instance);
    System.out.println("registered");
  }
}
