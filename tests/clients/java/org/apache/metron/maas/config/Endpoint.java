package org.apache.metron.maas.config;

import java.util.HashMap;
import java.util.Map;

/** Where a model answers, with the properties that installed readers know; any other property is an error to Jackson. */
public class Endpoint {
  private String url;
  private Map<String, String> functions = new HashMap<>(Map.of("apply", "apply"));

  public String getUrl() {
    return url;
  }

  public void setUrl(String url) {
    this.url = url;
  }

  public Map<String, String> getFunctions() {
    return functions;
  }

  public void setFunctions(Map<String, String> functions) {
    this.functions = functions;
  }
}
