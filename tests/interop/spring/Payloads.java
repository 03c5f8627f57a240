package interop;

import java.math.BigDecimal;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.util.List;

/** The types of payloads. */
final class Payloads {
    enum Status { OPEN, PAID }

    record Order(long id, String item, BigDecimal price, LocalDate day, LocalDateTime placedAt, Status status,
                 List<String> labels, String note) { }

    record Quote(long order, BigDecimal total) { }
}
