package org.apache.metron.maas.config;

/** The payload of a registration. Its class name travels in the JSON ({@code @class}), so it stands in this package. */
public class ModelEndpoint {
  private Endpoint endpoint;
  private String name;
  private String version;
  private String containerId;

  public Endpoint getEndpoint() {
    return endpoint;
  }

  public void setEndpoint(Endpoint endpoint) {
    this.endpoint = endpoint;
  }

  public String getName() {
    return name;
  }

  public void setName(String name) {
    this.name = name;
  }

  public String getVersion() {
    return version;
  }

  public void setVersion(String version) {
    this.version = version;
  }

  public String getContainerId() {
    return containerId;
  }

  public void setContainerId(String containerId) {
    this.containerId = containerId;
  }
}
