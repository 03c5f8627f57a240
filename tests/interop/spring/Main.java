package interop;

import java.util.Map;
import org.springframework.boot.Banner;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;

/**
 * A Spring Boot application that the tests drive. Lines that begin with "@ " are JSON for the test: {"ready":true}, then
 * {"listener":..,"value":..} for each message, and {"answer":ID,"result":..} or {"answer":ID,"error":..} for each line of
 * its standard input, which Commands reads. Ends with its standard input.
 */
@SpringBootApplication
public class Main {
    public static void main(String[] args) {
        SpringApplication application = new SpringApplication(Main.class);
        application.setBannerMode(Banner.Mode.OFF);
        application.setDefaultProperties(Map.of(
            "rocketmq.producer.group", "${run}-producer",
            "rocketmq.producer.send-message-timeout", "20000",
            "logging.level.root", "ERROR"));
        application.run(args);
    }
}
